// malloc and its family, under their hak_ names. See fastpath.h for the way of a malloc and a free.
#include "config/options.h"
#include "front/check.h"
#include "front/fastpath.h"
#include "front/guard.h"
#include "front/inner.h"
#include "front/large.h"
#include "front/life.h"
#include "front/sanitizer.h"
#include "front/others.h"
#include "observe/fatal.h"
#include "os/os.h"
#include "refill/give_back.h"
#include "refill/refill.h"
#include "slab/bundle.h"
#include "slab/remote.h"
#include "slab/run.h"
#include "slab/size_class.h"
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

enum { OVERFLOWS_SAMPLE = 64 };  // frees that find a bin full, before it is asked how they came

// The cap of a bin doubles while frees into own slabs find the bin full again and again, up to a slab's worth or a thousand: a
// program that allocates and frees in large batches gets large bins, one that merely fluctuates does not. It halves at looks for
// what rests (refill/give_back.c).
static uint32_t most_cap(unsigned size_class) {
    enum { MOST = 1024 };
    uint32_t capacity = class_capacity(size_class);
    return capacity < BIN_FIRST_CAP ? BIN_FIRST_CAP : capacity < MOST ? capacity : MOST;
}

// Whether the last OVERFLOWS_SAMPLE frees came in a batch: with fewer refills in between, and not the first since the last look.
static bool came_in_a_batch(const HakTcb* me, TinyTLSSlab* tls) {
    bool batch = me->ticks - tls->overflow_ticks < OVERFLOWS_SAMPLE;
    tls->overflow_ticks = me->ticks;
    return batch && tls->overflows - tls->seen_overflows > OVERFLOWS_SAMPLE;
}

// OVERFLOWS_SAMPLE frees have found the bin full since the last call.
static HAK_NOINLINE void note_overflows(HakTcb* me, TlsBin* bin, unsigned size_class) {
    if (came_in_a_batch(me, &me->tiny[size_class]) && bin->cap != 0 && hak_option(fast_cap) < 0) {
        uint32_t most = most_cap(size_class), cap = bin->cap * 2u < most ? bin->cap * 2u : most;
        bin->room += (int32_t)(cap - bin->cap);
        bin->cap = (uint16_t)cap;
    }
    give_back_idle(me);
}

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
    TakenBlocks taken = {bin_pop(bin), 1, false};
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
    if (HAK_CHECKED) ring_record(HAK_EVENT_malloc, block, (uint32_t)slab_number_of(block), size);
    return block;
}

HAK_INLINE void* take_cached_run(uint32_t pages) {
    HakTcb* me = operation_begin();
    if (me == NULL) return NULL;
    void* run = run_cache_take_short(me, pages);
    operation_end(me);
    return run;
}

void* malloc_above_tiny(size_t size) {
    if (size <= SMALL_MAX) {
        void* block = bin_pop(bin_of_small(size));
        return HAK_LIKELY(block != NULL) ? handed_out(block, size) : malloc_refill(size);
    }
    uint32_t pages = size <= RUN_MAX ? large_pages(size) : UINT32_MAX;
    void* run = run_is_short(pages) ? take_cached_run(pages) : NULL;
    if (HAK_UNLIKELY(run == NULL)) return malloc_large(size, 1, false);
    if (HAK_CHECKED) ring_record(HAK_EVENT_malloc, run, (uint32_t)slab_number_of(run), size);
    return run;
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

// --- free

static HAK_COLD void invalid_free(const void* p) {
    fatal("invalid_free", "free", "%p is no block of this allocator, or was freed before%s", p, others_words());
}

// Of pointers into a block those that no block can have; the others cost a division to tell.
HAK_INLINE void check_start(const void* p) {
    if (HAK_UNLIKELY((uintptr_t)p % 16 != 0))
        fatal("interior_free", "free", "%p points into a block, not to its start", p);
}

// Last of all, since a look may give up the slab.
HAK_INLINE void count_overflow(HakTcb* me, TlsBin* bin, unsigned size_class) {
    if (HAK_UNLIKELY(++me->tiny[size_class].overflows % OVERFLOWS_SAMPLE == 0)) note_overflows(me, bin, size_class);
}

// The slab changes its list, or becomes empty.
static HAK_NOINLINE void free_over_moving(HakTcb* me, TlsBin* bin, OwnedSlab slab, unsigned size_class, void* p) {
    slab_free_chain(me, slab, p, p, 1);
    count_overflow(me, bin, size_class);
}

// The bin is full, and the slab the thread's own. With calls at the ends alone: a thread that frees what it never allocates comes here
// each time.
HAK_INLINE void free_over_own(HakTcb* me, TlsBin* bin, OwnedSlab slab, unsigned size_class, void* p) {
    note_free(p, FREE_SS_LOCAL);
    tcb_count(me, HAK_C_free_ss_local);
    if (HAK_LIKELY(slab_free_in_place(me, slab, size_class, p)))
        count_overflow(me, bin, size_class);
    else
        free_over_moving(me, bin, slab, size_class, p);
}

static void reserve_free(void* p) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) invalid_free(p);
    block_free(reserve, p);
    reserve_end(reserve);
}

// A slab without owner becomes the caller's at once; to a slab of another thread the block travels in a bundle.
static void free_foreign(HakTcb* me, SlabNumber s, uint64_t word, void* p) {
    if (word_owner(word) == 0) {
        note_free(p, FREE_SS_LOCAL);
        tcb_count(me, HAK_C_free_ss_local);
        remote_free(me, s, p, p, 1);
    } else {
        note_free(p, FREE_SS_REMOTE);
        tcb_count(me, HAK_C_free_ss_remote);
        bundle_add(me, s, (unsigned)(word_tag(word) / TAG_PER_CLASS), p);
    }
}

// A thread that has not allocated yet gets a control block only when it frees more often than the C library does in the last steps
// of a thread's life, when nobody would give the block back.
static HakTcb* operation_for_free(void) {
    enum { FEW = 64 };
    HakTls* tls = &hak_tls;
    if (tls->tcb == NULL && tls->early_frees < FEW && ++tls->early_frees) return NULL;
    return thread_operation();
}

static HAK_COLD void free_of_others(void* p) {
    if (!sanitizer_serves()) invalid_free(p);
    sanitizer_free(p);
}

// Whatever goes neither into a bin nor into the cache of runs.
static HAK_NOINLINE void free_uncached(void* p) {
    if (!heap_contains(p)) {
        free_of_others(p);
        return;
    }
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the release that made the slab or huge block
    uint64_t word = load_acquire(&hak_heap.owner[s]), tag = word_tag(word);
    if (tag == TAG_HUGE) {
        if (p != slab_address(s)) invalid_free(p);
        note_free(p, FREE_HUGE);
        huge_free(s);
        return;
    }
    if (!tag_is_class(tag) && !tag_is_runs(tag)) invalid_free(p);
    check_start(p);
    int saved_errno = errno;
    HakTcb* me = operation_for_free();
    if (me == NULL)
        reserve_free(p);
    else if (tag_is_class(tag))
        free_foreign(me, s, word, p);
    else {
        note_free(p, FREE_RUN);
        block_free(me, p);
    }
    if (me) operation_end(me);
    errno = saved_errno;
}

// A run of the thread's own goes into its cache, if there is room.
static bool free_run_cached(void* p) {
    HakTcb* me = operation_begin();
    if (me == NULL) return false;
    OwnedSlab slab = slab_if_mine(me, run_first_slab(p), TAG_RUNS);
    bool put = slab.number != 0 && run_cache_put(me, slab, p);
    if (put) {
        note_free(p, FREE_RUN);
        if (run_is_idle(slab)) run_settle(me, slab);
    }
    operation_end(me);
    return put;
}

// The bin is full, or the thread does not allocate the class, and need not cache it. The slab may have got another owner meanwhile, or be
// none: words that name no slab lead to bin 0, which has no room.
void free_over(void* p, uint64_t tag) {
    TlsBin* bin = fast_bin(tag);
    bin->room++;
    HakTcb* me = tag_is_class(tag) ? operation_begin() : NULL;
    OwnedSlab slab = me ? slab_if_mine(me, (SlabNumber)slab_number_of(p), tag) : (OwnedSlab){0};
    if (slab.number) {
        check_start(p);
        free_over_own(me, bin, slab, (unsigned)(tag / TAG_PER_CLASS), p);
    }
    if (me) operation_end(me);
    if (slab.number == 0) free_uncached(p);
}

// Here, since programs free NULL often, and fast_free tells it apart anyway.
void free_slow(void* p) {
    if (p == NULL) return;
    if (heap_contains(p)) {
        uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[slab_number_of(p)]));
        if (tag_is_runs(tag) && free_run_cached(p)) return;
    }
    free_uncached(p);
}

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

// --- sizes

size_t usable_bytes(const void* p) {
    if (!heap_contains(p)) invalid_free(p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the release that made the slab or huge block
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag_is_class(tag)) return size_of_class((unsigned)(tag / TAG_PER_CLASS));
    if (tag == TAG_HUGE && p == slab_address(s)) return huge_size(s);
    size_t pages = tag_is_runs(tag) ? run_pages(p) : 0;
    if (pages == 0) invalid_free(p);
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
    int saved_errno = errno;
    void* block = aligned(GUARD_CALL("posix_memalign", HAK_GUARD_MALLOC), alignment, size);
    errno = saved_errno;
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
