#include "workload/sized.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void free_any_size(void* block, size_t size) {
    (void)size;
    free(block);
}

void* (*sized_new)(size_t size) = malloc;
void (*sized_delete)(void* block, size_t size) = free_any_size;

__attribute__((constructor)) static void look_for_sized_delete(void) {
    // void operator delete(void*, unsigned long), and the operator new that goes with it
    void* delete_function = dlsym(RTLD_DEFAULT, "_ZdlPvm");
    void* new_function = dlsym(RTLD_DEFAULT, "_Znwm");
    if (delete_function == NULL || new_function == NULL) return;
    // ISO C has no cast from an object pointer to a function pointer
    memcpy(&sized_new, &new_function, sizeof sized_new);
    memcpy(&sized_delete, &delete_function, sizeof sized_delete);
}
