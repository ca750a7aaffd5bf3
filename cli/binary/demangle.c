#include "binary/demangle.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char* demangle_function(const char* name, char* buffer, size_t* length, int* status);

static demangle_function* find_function(void) {
    static const char* const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
    demangle_function* function = NULL;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0] && function == NULL; i++) {
        void* library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);
        void* symbol = library != NULL ? dlsym(library, "__cxa_demangle") : NULL;
        memcpy(&function, &symbol, sizeof symbol);  // ISO C has no cast from an object to a function
    }
    return function;
}

bool demangle(const char* name, char* out, size_t size) {
    static demangle_function* function;
    static bool looked;
    if (strncmp(name, "_Z", 2) != 0) return false;
    if (!looked) function = find_function();
    looked = true;
    int status = -1;
    char* text = function != NULL ? function(name, NULL, NULL, &status) : NULL;
    bool done = text != NULL && status == 0;
    if (done) snprintf(out, size, "%s", text);
    free(text);
    return done;
}
