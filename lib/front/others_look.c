#include "base/text.h"
#include "front/block.h"
#include "front/others.h"
#include "os/os.h"
#include "superslab/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <hakmem/hakmem.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// In a program linked with the archive these bind to the program's own, and do not bring ours in beside them.
#pragma weak realloc
#pragma weak aligned_alloc
#pragma weak malloc_usable_size
// Our own, by names that nobody else can define; weak, since the archive may have been asked for the operators alone.
__attribute__((weak)) HAK_INTERNAL void* own_malloc(size_t size);
__attribute__((weak)) HAK_INTERNAL void own_free(void* p);
__attribute__((weak)) HAK_INTERNAL void* own_realloc(void* p, size_t size);
__attribute__((weak)) HAK_INTERNAL void* own_aligned_alloc(size_t alignment, size_t size);
__attribute__((weak)) HAK_INTERNAL size_t own_malloc_usable_size(void* p);

// --- whose is a name?

// A program that is not position-independent and takes the address of a function has an entry for it that jumps to the
// real one, and everybody finds that entry: a symbol with a value that is undefined. What it jumps to is ours, unless a
// library before us defines the function: that one goes unnoticed.
static HAK_COLD bool is_mere_entry(const void* found) {
    Dl_info info;
    const ElfW(Sym)* symbol = NULL;
    return dladdr1(found, &info, (void**)&symbol, RTLD_DL_SYMENT) && symbol != NULL && info.dli_saddr == found &&
           symbol->st_shndx == SHN_UNDEF;
}

// Is what the linker found the function here? The compiler must not answer from the name alone.
static bool is_others(const void* found, const void* own) {
    __asm__("" : "+r"(found));
    return found != own && !is_mere_entry(found);
}
#define IS_OTHERS(name) is_others((const void*)(uintptr_t)(name), (const void*)(uintptr_t)(own_##name))

static bool is_of_libc(const void* function) {
    Dl_info of_function, of_libc;
    return dladdr(function, &of_function) && dladdr((const void*)(uintptr_t)gnu_get_libc_version, &of_libc) &&
           of_function.dli_fbase == of_libc.dli_fbase;
}

// Linked with the archive, some may be the C library's, since nobody asked for ours: that one does not know the
// program's blocks.
#define IS_OF_PROGRAM(name) (IS_OTHERS(name) && !is_of_libc((const void*)(uintptr_t)(name)))

uint32_t others_look(void) {
    uint32_t found = load_relaxed(&hak_others);
    if (found != OTHERS_UNKNOWN) return found;
    found = (IS_OTHERS(malloc) ? OTHERS_MALLOC : 0u) | (IS_OTHERS(free) ? OTHERS_FREE : 0u) |
            (IS_OF_PROGRAM(realloc) ? OTHERS_REALLOC : 0u) |
            (IS_OF_PROGRAM(aligned_alloc) ? OTHERS_ALIGNED_ALLOC : 0u) |
            (IS_OF_PROGRAM(malloc_usable_size) ? OTHERS_USABLE_SIZE : 0u);
    if (found & OTHERS_MALLOC && is_of_libc((const void*)(uintptr_t)malloc)) found = OTHERS_LIBC;
    store_relaxed(&hak_others, found);
    return found;
}

bool malloc_is_foreign(void) {
    return (others_look() & (OTHERS_MALLOC | OTHERS_LIBC)) != 0;
}
