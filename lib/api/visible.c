#include "api/visible.h"

#include "base/text.h"
#include "front/block.h"
#include "os/os.h"
#include "sample/sample.h"

#include <dlfcn.h>
#include <errno.h>
#include <hakmem/hakmem.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// As in front/others_look.c.
#pragma weak realloc
#pragma weak aligned_alloc
#pragma weak malloc_usable_size

// --- free

// A block of our aligned_alloc is ours, whoever frees the others. A block goes back to where operator new got it.
bool others_free(uint32_t found, void* p, size_t alignment) {
    if (found & OTHERS_LIBC) {
        if (heap_contains(p) || is_block_start(p)) return false;
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

// Copies from a block of unknown size: as many bytes as were asked for, as far as memory can be read. Bytes behind the
// block's end do no harm.
static void copy_what_is_there(char* to, const char* from, size_t size) {
    enum { PAGE = 4096 };
    for (size_t done = 0, step; done < size && os_can_read(word_of(from + done)); done += step) {
        step = PAGE - (uintptr_t)(from + done) % PAGE;
        if (step > size - done) step = size - done;
        memcpy(to + done, from + done, step);
    }
}

// malloc and free are not ours, but realloc is.
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

// 0: unknown.
size_t others_usable_size(void* p) {
    return is_block_start(p) ? hak_malloc_usable_size(p) : 0;
}

// --- reports

#if HAK_CHECKED
static _Atomic uint32_t told;

void others_tell(const char* function) {
    uint32_t no = 0;
    Dl_info of_free;
    if (!(others() & OTHERS_FREE) || !cas_acquire(&told, &no, 1u)) return;
    bool named = dladdr((const void*)(uintptr_t)free, &of_free) != 0 && of_free.dli_fname != NULL;
    text_warn("hakmem: %s comes from this library, but free comes from %s, which does not define %s: that free may get "
              "blocks of this library (reported once)\n",
              function, named ? of_free.dli_fname : "somebody else", function);
}
#else
void others_tell(const char* function) {
    (void)function;
}
#endif
