// malloc and its family, under their hak_ names. See fastpath.h for the way of a malloc and a free.
#include "config/options.h"
#include "front/check.h"
#include "front/fastpath.h"
#include "front/guard.h"
#include "front/inner.h"
#include "front/large.h"
#include "front/life.h"
#include "front/sanitizer.h"
#include "refill/give_back.h"
#include "refill/refill.h"
#include "slab/run.h"
#include "superslab/huge.h"
#include "superslab/purge.h"

#include <errno.h>
#include <hakmem/hakmem.h>
#include <string.h>

static void* no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

// --- bins

// The caller's bin is empty.
static TakenBlocks refill_bin(HakTcb* me, TlsBin* bin, unsigned size_class) {
    if (bin->cap == 0)
        *bin = bin_empty();
    else
        (void)bin_first(bin);  // no block, so the end of the list, or damaged
    TakenBlocks taken = refill(me, size_class, bin->batch ? bin->batch : 1);
    if (taken.count == 0) return taken;
    bin->batch = (uint16_t)(bin->batch * 2 < bin->cap ? bin->batch * 2 : bin->cap);
    bin->head = link_encode(link_read(taken.first));
    bin->room = (int32_t)(bin->cap + 1 - taken.count);
    return taken;
}

// --- malloc

static TakenBlocks reserve_refill(unsigned size_class) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) return (TakenBlocks){NULL, 0, false};
    TakenBlocks taken = refill(reserve, size_class, 1);
    reserve_end(reserve);
    return taken;
}

static void* reserve_large(size_t size, size_t alignment) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) return NULL;
    void* block = large_alloc(reserve, size, alignment, false);
    reserve_end(reserve);
    return block;
}

// The first of the blocks with which the bin of the class, found empty, is filled.
static TakenBlocks take_first(TlsBin* bin, unsigned size_class) {
    if (sanitizer_serves()) {
        return (TakenBlocks){sanitizer_malloc(1, size_of_class(size_class)), 1, false};
    }
    HakTcb* me = thread_operation();
    if (me == NULL) return reserve_refill(size_class);
    // A new thread may have found parked bins, and a signal handler may have left something.
    TakenBlocks taken = {bin_take(bin), 1, false};
    if (taken.first == NULL) taken = refill_bin(me, bin, size_class);
    operation_end(me);
    guard_tick(me);
    return taken;
}

static void* malloc_class(unsigned size_class, size_t size) {
    TlsBin* bin = fast_bin(tag_of_class(size_class));
    void* block = bin_pop(bin);
    if (HAK_UNLIKELY(block == NULL)) block = take_first(bin, size_class).first;
    return HAK_LIKELY(block != NULL) ? handed_out(block, size) : no_memory();
}

// TINY_MAX < size <= SMALL_MAX
HAK_INLINE TlsBin* bin_of_small(size_t size) {
    return fast_bin(hak_tag_of_small[(size - 1) / SMALL_STEP]);
}

static void* calloc_small(size_t size) {
    TlsBin* bin = bin_of_small(size);
    TakenBlocks taken = {bin_pop(bin), 1, false};
    if (HAK_UNLIKELY(taken.first == NULL)) taken = take_first(bin, class_of_size(size));
    if (HAK_UNLIKELY(taken.first == NULL)) return no_memory();
    if (taken.zero && hak_tls.tcb) tcb_count(hak_tls.tcb, HAK_C_calloc_known_zero);
    memset(taken.first, 0, taken.zero ? sizeof(uint64_t) : size);
    return handed_out(taken.first, size);
}

void* malloc_refill(size_t size) {
    return malloc_class(class_of_size(size), size);
}

static void* malloc_large(size_t size, size_t alignment, bool zero) {
    if (size > PTRDIFF_MAX) return no_memory();
    if (sanitizer_serves()) {
        void* block = sanitizer_malloc(alignment, size);
        if (block && zero) memset(block, 0, size);
        return block ? block : no_memory();
    }
    HakTcb* me = thread_operation();
    void* block = me ? large_alloc(me, size, alignment, zero) : reserve_large(size, alignment);
    if (me) operation_end(me);
    if (block == NULL) return no_memory();
    if (me == NULL && zero) memset(block, 0, size);
    note_malloc(block, size);
    return block;
}

// The operation ends here.
static HAK_NOINLINE void* malloc_run_uncached(HakTcb* me, size_t size) {
    void* run = large_alloc(me, size, 1, false);
    operation_end(me);
    if (HAK_UNLIKELY(run == NULL)) return no_memory();
    note_malloc(run, size);
    return run;
}

// SMALL_MAX < size <= RUN_MAX. With calls at the ends alone.
static HAK_NOINLINE void* malloc_run(size_t size) {
    HakTcb* me = operation_begin_at_once();
    if (HAK_UNLIKELY(me == NULL)) return malloc_large(size, 1, false);
    uint32_t pages = large_pages(size);
    void* run = run_is_short(pages) ? run_cache_take_short(me, pages) : NULL;
    if (HAK_UNLIKELY(run == NULL)) return malloc_run_uncached(me, size);
    operation_end(me);
    note_malloc(run, size);
    return run;
}

void* malloc_above_tiny(size_t size) {
    if (HAK_UNLIKELY(size > SMALL_MAX)) return size <= RUN_MAX ? malloc_run(size) : malloc_large(size, 1, false);
    void* block = bin_pop(bin_of_small(size));
    return HAK_LIKELY(block != NULL) ? handed_out(block, size) : malloc_refill(size);
}

HAK_LINE_START void* hak_malloc(size_t size) {
    if (guard_on()) return guard_malloc(GUARD_CALL("malloc", HAK_GUARD_MALLOC), size);
    return fast_malloc(size);
}

HAK_INLINE void* zeroed(size_t bytes) {
    if (bytes > SMALL_MAX) return malloc_large(bytes, 1, true);
    if (bytes > TINY_MAX) return calloc_small(bytes);
    void* block = fast_malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

#if HAK_CHECKED
void* malloc_zeroed(size_t bytes) {
    return zeroed(bytes);
}
#endif

void* hak_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return no_memory();
    if (guard_on()) return guard_calloc(GUARD_CALL("calloc", HAK_GUARD_MALLOC), bytes);
    return zeroed(bytes);
}

// --- sizes

size_t usable_bytes(const void* p) {
    if (!heap_contains(p)) invalid_block(p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the release that made the slab or huge block
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag_is_class(tag)) return size_of_class((unsigned)(tag / TAG_PER_CLASS));
    if (tag == TAG_HUGE && p == slab_address(s)) return huge_size(s);
    size_t pages = tag_is_runs(tag) ? run_pages(p) : 0;
    if (pages == 0) invalid_block(p);
    return pages * PAGE_SIZE_BYTES;
}

bool is_block_start(const void* p) {
    if (!heap_contains(p)) return false;
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the release that made the slab or huge block
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag == TAG_HUGE) return p == slab_address(s);
    if (tag_is_runs(tag)) return (uintptr_t)p % PAGE_SIZE_BYTES == 0 && run_pages(p) != 0;
    uintptr_t offset = (uintptr_t)p - (uintptr_t)slab_address(s);
    return tag_is_class(tag) && offset % size_of_class((unsigned)(tag / TAG_PER_CLASS)) == 0;
}

size_t hak_malloc_usable_size(const void* p) {
    if (sanitizer_serves()) return p ? sanitizer_usable_size(p) : 0;
    if (guard_on()) return guard_usable_size(GUARD_CALL("malloc_usable_size", HAK_GUARD_MALLOC), p);
    return p ? usable_bytes(p) : 0;
}

// --- realloc

static bool resize_run(void* p, size_t size) {
    HakTcb* me = operation_begin();
    bool resized = run_resize_in_place(me, p, size);
    if (me) operation_end(me);
    return resized;
}

static void* realloc_in_place(void* p, size_t old, size_t size) {
    enum { LEAST = 16 };  // no block is smaller
    if (old <= SMALL_MAX) return size <= old && (size >= old / 2 || old == LEAST) ? p : NULL;
    if (old <= RUN_MAX && word_tag(load_relaxed(&hak_heap.owner[slab_number_of(p)])) != TAG_HUGE)
        return resize_run(p, size) ? p : NULL;
    return size > RUN_MAX ? huge_resize((SlabNumber)slab_number_of(p), size) : NULL;
}

void* hak_realloc(void* p, size_t size) {
    if (sanitizer_serves()) return sanitizer_realloc(p, size);
    if (guard_on()) return guard_realloc(GUARD_CALL("realloc", HAK_GUARD_MALLOC), p, size);
    if (p == NULL) return fast_malloc(size);
    if (size == 0) {
        fast_free(p);
        return NULL;
    }
    if (size > PTRDIFF_MAX) return no_memory();
    size_t old = usable_bytes(p);
    void* same = realloc_in_place(p, old, size);
    if (same) return same;
    void* block = fast_malloc(size);
    if (block == NULL) return size <= old ? p : NULL;
    memcpy(block, p, old < size ? old : size);
    counter_add_shared(HAK_C_realloc_copied, 1);
    fast_free(p);
    return block;
}

void* hak_reallocarray(void* p, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return no_memory();
    return hak_realloc(p, bytes);
}

// --- alignment

// Slabs start at multiples of 64 KiB, so blocks of a class stand at multiples of their size. Powers of two are classes: one fits.
static unsigned class_aligned(size_t alignment, size_t size) {
    unsigned c = class_of_size(size ? align_up(size, alignment) : alignment);
    while (size_of_class(c) & (alignment - 1)) c++;
    return c;
}

void* malloc_aligned(size_t alignment, size_t size) {
    if (alignment <= 16) return fast_malloc(size);
    if (sanitizer_serves()) return sanitizer_malloc(alignment, size);
    if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX) return no_memory();
    if (size <= SMALL_MAX && alignment <= SMALL_MAX && align_up(size, alignment) <= SMALL_MAX)
        return malloc_class(class_aligned(alignment, size), size);
    return malloc_large(size, alignment, false);
}

HAK_INLINE void* aligned(const GuardCall* call, size_t alignment, size_t size) {
    return guard_on() ? guard_aligned(call, alignment, size) : malloc_aligned(alignment, size);
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
    return aligned(GUARD_CALL("valloc", HAK_GUARD_MALLOC), PAGE_SIZE_BYTES, size);
}

void* hak_pvalloc(size_t size) {
    if (size > PTRDIFF_MAX) return no_memory();
    return aligned(GUARD_CALL("pvalloc", HAK_GUARD_MALLOC), PAGE_SIZE_BYTES,
                   align_up(size ? size : 1, PAGE_SIZE_BYTES));
}

// --- giving memory back

int hak_trim(size_t keep) {
    int saved_errno = errno;
    if (guard_on()) guard_flush();
    HakTcb* me = thread_operation();  // a new thread's may have parked bins
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
