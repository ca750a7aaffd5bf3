#include "fault.h"

#include <dlfcn.h>

int main(void) {
    void (*free_sized)(void*, size_t);
    *(void**)&free_sized = dlsym(RTLD_DEFAULT, "free_sized");  // the C library does not have it
    if (free_sized == NULL) return 77;
    free_sized(opaque(malloc(100)), 200);
    go_on(100);
    return not_noticed();
}
