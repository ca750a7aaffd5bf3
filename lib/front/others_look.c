#include "base/text.h"
#include "front/inner.h"
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

// --- free

// What aligned_alloc of ours gave is ours, whoever frees the others. A block goes where operator new got it.
bool others_free(uint32_t found, void* p, size_t alignment) {
    if (found & OTHERS_LIBC) {
        if (heap_contains(p)) return false;
    } else if (!(found & OTHERS_ALIGNED_ALLOC) && alignment > 16) {
        if ((uintptr_t)p % alignment == 0 && is_block_start(p)) return false;
    } else if (!others_give(found, alignment)) {
        return false;
    }
    free(p);
    return true;
}

// --- operator new

void* others_new(uint32_t found, size_t alignment, size_t size) {
    if (!(found & OTHERS_ALIGNED_ALLOC) || alignment == 0) return malloc(size ? size : 1);
    size_t whole = size ? (size + alignment - 1) & -alignment : alignment;
    if (whole >= size) return aligned_alloc(alignment, whole);
    errno = ENOMEM;
    return NULL;
}

// --- realloc

static const void* word_of(const char* p) {
    return (const void*)((uintptr_t)p & ~(uintptr_t)7);
}

// Of a block whose size is not known: as much as was asked for, as far as memory goes. What comes behind its end nobody
// will miss.
static void copy_what_is_there(char* to, const char* from, size_t size) {
    enum { PAGE = 4096 };
    for (size_t done = 0, step; done < size && os_can_read(word_of(from + done)); done += step) {
        step = PAGE - (uintptr_t)(from + done) % PAGE;
        if (step > size - done) step = size - done;
        memcpy(to + done, from + done, step);
    }
}

// malloc and free are not ours, realloc is.
static void* move_block(uint32_t found, void* p, size_t size) {
    int saved_errno = errno;
    char* block = malloc(size);
    if (block == NULL) return NULL;
    if (found & OTHERS_USABLE_SIZE) {
        size_t old = malloc_usable_size(p);
        memcpy(block, p, old < size ? old : size);
    } else {
        copy_what_is_there(block, p, size);
    }
    free(p);
    errno = saved_errno;
    return block;
}

void* others_realloc(uint32_t found, void* p, size_t size) {
    enum { BOTH = OTHERS_MALLOC | OTHERS_FREE };
    bool by_others = p != NULL && (found & BOTH) == BOTH && !(found & OTHERS_REALLOC) && !is_block_start(p);
    if (!by_others) {
        if (p == NULL) others_tell("realloc");
        return hak_realloc(p, size);
    }
    if (size != 0) return move_block(found, p, size);
    free(p);
    return NULL;
}

void* others_reallocarray(uint32_t found, void* p, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (found & OTHERS_LIBC) return p == NULL || is_block_start(p) ? hak_realloc(p, bytes) : realloc(p, bytes);
    return found & OTHERS_REALLOC ? realloc(p, bytes) : others_realloc(found, p, bytes);
}

// --- malloc_usable_size

// 0: it is not known.
size_t others_usable_size(void* p) {
    return is_block_start(p) ? hak_malloc_usable_size(p) : 0;
}

// --- telling

#if HAK_CHECKED
static _Atomic uint32_t told;

void others_tell(const char* function) {
    uint32_t no = 0;
    Dl_info of_free;
    if (!(others() & OTHERS_FREE) || !cas_acquire(&told, &no, 1u)) return;
    bool named = dladdr((const void*)(uintptr_t)free, &of_free) != 0 && of_free.dli_fname != NULL;
    text_warn("hakmem: %s is this library's, but free is that of %s, which does not define %s: blocks of the one may "
              "reach the other (this is said once)\n",
              function, named ? of_free.dli_fname : "somebody else", function);
}
#else
void others_tell(const char* function) {
    (void)function;
}
#endif
