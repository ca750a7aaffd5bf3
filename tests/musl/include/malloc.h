// What musl's header of this name does not declare. The programs are linked without libhakmem, which has the functions,
// and find them when it is preloaded.
#ifndef TESTS_MUSL_MALLOC_H
#define TESTS_MUSL_MALLOC_H

#include_next <malloc.h>

#include <dlfcn.h>
#include <stddef.h>

__attribute__((unused)) static int malloc_trim(size_t keep) {
    int (*function)(size_t);
    *(void**)&function = dlsym(RTLD_DEFAULT, "malloc_trim");
    return function != NULL ? function(keep) : 0;
}

__attribute__((unused)) static void* pvalloc(size_t size) {
    void* (*function)(size_t);
    *(void**)&function = dlsym(RTLD_DEFAULT, "pvalloc");
    return function != NULL ? function(size) : NULL;
}

#endif
