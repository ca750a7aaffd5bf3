#include "base/libc.h"
#include "base/text.h"
#include "front/block.h"
#include "front/others.h"
#include "os/os.h"
#include "superslab/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <hakmem/hakmem.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// In a program linked with the archive, these bind to the program's own functions and do not bring in ours beside them.
#pragma weak realloc
#pragma weak aligned_alloc
#pragma weak malloc_usable_size
// Our functions, by names that nobody else can define. Weak, since a program may use the archive for the operators
// alone.
__attribute__((weak)) HAK_INTERNAL void* own_malloc(size_t size);
__attribute__((weak)) HAK_INTERNAL void own_free(void* p);
__attribute__((weak)) HAK_INTERNAL void* own_realloc(void* p, size_t size);
__attribute__((weak)) HAK_INTERNAL void* own_aligned_alloc(size_t alignment, size_t size);
__attribute__((weak)) HAK_INTERNAL size_t own_malloc_usable_size(void* p);

// --- who defines a name

// A program that is not position-independent and takes a function's address has an entry for it that jumps to the real
// function, and all lookups find that entry: an undefined symbol with a value. It jumps to our function, unless a
// library before us defines it too, which goes unnoticed.
static HAK_COLD bool is_mere_entry(const void* found) {
#if LIBC_IS_GLIBC
    Dl_info info;
    const ElfW(Sym)* symbol = NULL;
    return dladdr1(found, &info, (void**)&symbol, RTLD_DL_SYMENT) && symbol != NULL && info.dli_saddr == found &&
           symbol->st_shndx == SHN_UNDEF;
#else
    (void)found;  // musl does not tell which symbol it is: docs/PLATFORMS.md
    return false;
#endif
}

// Whether the linker found another function. The asm keeps the compiler from answering by the name alone.
static bool is_others(const void* found, const void* own) {
    __asm__("" : "+r"(found));
    return found != own && !is_mere_entry(found);
}
#define IS_OTHERS(name) is_others((const void*)(uintptr_t)(name), (const void*)(uintptr_t)(own_##name))

static bool is_of_libc(const void* function) {
    Dl_info of_function, of_libc;
    return dladdr(function, &of_function) && dladdr((const void*)(uintptr_t)LIBC_OWN_FUNCTION, &of_libc) &&
           of_function.dli_fbase == of_libc.dli_fbase;
}

// In a program linked with the archive, some names may be the C library's, because nothing asked for ours. The C
// library does not know the program's blocks.
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
