#include "front/sanitizer.h"

#include "front/others.h"

#include <dlfcn.h>
#include <string.h>

// From the interface that the runtimes of gcc and clang share (sanitizer/allocator_interface.h).
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void* p);

// The core alone does not have it.
#pragma weak malloc_is_foreign

_Atomic uint32_t sanitizer_state;

// The runtime's functions, which ours hide.
static struct {
    void* (*malloc)(size_t size);
    int (*posix_memalign)(void** out, size_t alignment, size_t size);
    void (*free)(void* p);
    void* (*realloc)(void* p, size_t size);
} behind_us;

static bool is_of_runtime(const void* function) {
    Dl_info of_function, of_runtime;
    return function && dladdr(function, &of_function) &&
           dladdr((const void*)(uintptr_t)__sanitizer_get_allocated_size, &of_runtime) &&
           of_function.dli_fbase == of_runtime.dli_fbase;
}

static bool find(const char* name, void* function, size_t size) {
    void* found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, size);  // C11 has no cast from an object pointer to a function pointer
    return is_of_runtime(found);
}

static bool is_behind_us(void) {
    if (__sanitizer_get_allocated_size == NULL || malloc_is_foreign == NULL || malloc_is_foreign()) return false;
    return find("malloc", &behind_us.malloc, sizeof behind_us.malloc) &&
           find("posix_memalign", &behind_us.posix_memalign, sizeof behind_us.posix_memalign) &&
           find("free", &behind_us.free, sizeof behind_us.free) &&
           find("realloc", &behind_us.realloc, sizeof behind_us.realloc);
}

bool sanitizer_look(void) {
    if (load_acquire(&sanitizer_state) == SANITIZER_UNKNOWN)  // pairs with the release below
        store_release(&sanitizer_state, (uint32_t)(is_behind_us() ? SANITIZER_SERVES : SANITIZER_NONE));
    return load_relaxed(&sanitizer_state) == SANITIZER_SERVES;
}

void* sanitizer_malloc(size_t alignment, size_t size) {
    if (alignment <= 16) return behind_us.malloc(size);  // it also serves the runtime's own start
    void* block = NULL;
    return behind_us.posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

void sanitizer_free(void* p) {
    behind_us.free(p);
}

void* sanitizer_realloc(void* p, size_t size) {
    return behind_us.realloc(p, size);
}

size_t sanitizer_usable_size(const void* p) {
    return __sanitizer_get_allocated_size(p);
}
