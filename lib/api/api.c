// The doors: the malloc family under its hak_ names. Behind them is guard mode, if it is on, or the allocator.
#include "front/block.h"
#include "front/fastpath.h"
#include "front/life.h"
#include "front/realloc.h"
#include "front/refuse.h"
#include "front/sanitizer.h"
#include "front/wrong_free.h"
#include "guard/guard.h"
#include "guard/release.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "superslab/purge.h"

#include <errno.h>
#include <hakmem/hakmem.h>

static void* no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

// --- malloc

HAK_LINE_START void* hak_malloc(size_t size) {
    const GuardCall* call = GUARD_CALL("malloc", HAK_GUARD_MALLOC);
    return OR_REFUSED(call, size, guard_on() ? guard_malloc(call, size) : fast_malloc(size));
}

void* hak_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return no_memory();
    const GuardCall* call = GUARD_CALL("calloc", HAK_GUARD_MALLOC);
    return OR_REFUSED(call, bytes, guard_on() ? guard_calloc(call, bytes) : fast_calloc(bytes));
}

HAK_INLINE void* resize(const GuardCall* call, void* p, size_t size) {
    if (guard_on()) return guard_realloc(call, p, size);
    return realloc_block(p, size);
}

void* hak_realloc(void* p, size_t size) {
    if (sanitizer_serves()) return sanitizer_realloc(p, size);
    const GuardCall* call = GUARD_CALL("realloc", HAK_GUARD_MALLOC);
    if (HAK_CHECKED && size == 0) return resize(call, p, size);  // it frees, and NULL is no failure
    return OR_REFUSED(call, size, resize(call, p, size));
}

void* hak_reallocarray(void* p, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return no_memory();
    return hak_realloc(p, bytes);
}

// --- free

HAK_LINE_START void hak_free(void* p) {
    if (guard_on())
        guard_free(GUARD_CALL("free", HAK_GUARD_MALLOC), p);
    else
        fast_free(p);
}

void hak_free_sized(void* p, size_t size) {
    if (guard_on())
        guard_free_sized(GUARD_CALL("free_sized", HAK_GUARD_MALLOC), p, size);
    else
        fast_free(p);
}

void hak_free_aligned_sized(void* p, size_t alignment, size_t size) {
    (void)alignment;
    if (guard_on())
        guard_free_sized(GUARD_CALL("free_aligned_sized", HAK_GUARD_MALLOC), p, size);
    else
        fast_free(p);
}

size_t hak_malloc_usable_size(const void* p) {
    if (sanitizer_serves()) return p ? sanitizer_usable_size(p) : 0;
    if (guard_on()) return guard_usable_size(GUARD_CALL("malloc_usable_size", HAK_GUARD_MALLOC), p);
    return p ? usable_bytes("malloc_usable_size", p) : 0;
}

// --- alignment

HAK_INLINE void* aligned_block(const GuardCall* call, size_t alignment, size_t size) {
    if (guard_on()) return guard_aligned(call, alignment, size);
    return alignment <= 16 ? fast_malloc(size) : malloc_aligned(alignment, size);
}

HAK_INLINE void* aligned(const GuardCall* call, size_t alignment, size_t size) {
    return OR_REFUSED(call, size, aligned_block(call, alignment, size));
}

void* hak_aligned_alloc(size_t alignment, size_t size) {
    if (!is_pow2(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(GUARD_CALL("aligned_alloc", HAK_GUARD_MALLOC), alignment, size);
}

void* hak_memalign(size_t alignment, size_t size) {
    if (alignment > (SIZE_MAX >> 1) + 1) {
        errno = EINVAL;
        return NULL;
    }
    if (!is_pow2(alignment)) alignment = alignment == 0 ? 1 : (size_t)2 << log2_floor(alignment);
    return aligned(GUARD_CALL("memalign", HAK_GUARD_MALLOC), alignment, size);
}

int hak_posix_memalign(void** out, size_t alignment, size_t size) {
    if (!is_pow2(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
    void* block = aligned(GUARD_CALL("posix_memalign", HAK_GUARD_MALLOC), alignment, size);
    if (block == NULL) return ENOMEM;
    *out = block;
    return 0;
}

void* hak_valloc(size_t size) {
    return aligned(GUARD_CALL("valloc", HAK_GUARD_MALLOC), os_page_bytes(), size);
}

void* hak_pvalloc(size_t size) {
    if (size > PTRDIFF_MAX) return no_memory();
    const size_t page = os_page_bytes();
    return aligned(GUARD_CALL("pvalloc", HAK_GUARD_MALLOC), page, align_up(size ? size : 1, page));
}

// --- giving memory back

int hak_trim(size_t keep) {
    int saved_errno = errno;
    if (guard_on()) guard_release_oldest(true);
    HakTcb* me = thread_operation();  // a new thread may get parked bins
    if (me) {
        give_back_all(me);
        operation_end(me);
    }
    hak_lock(&heap_lock);
    bool some = hak_heap.base != 0 && purge_free(keep);
    hak_unlock(&heap_lock);
    errno = saved_errno;
    return some;
}
