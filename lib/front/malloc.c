#include "front/malloc.h"

#include "config/options.h"
#include "front/block.h"
#include "front/hits.h"
#include "front/large.h"
#include "front/life.h"
#include "front/sanitizer.h"
#include "front/wake.h"
#include "front/zero.h"
#include "profile/profile.h"
#include "profile/spare_runs.h"
#include "refill/bins.h"
#include "refill/refill.h"
#include "sample/sample.h"
#include "slab/run_cache.h"
#include "superslab/huge.h"

#include <errno.h>
#include <string.h>

static void* no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

// --- bins

// Fills the caller's bin, which is empty.
static TakenBlocks refill_bin(HakTcb* me, TlsBin* bin, unsigned size_class) {
    if (bin->cap == 0)
        *bin = bin_empty();
    else
        (void)bin_first(bin);  // there is no block; this aborts if the link is damaged
    TakenBlocks taken = refill(me, size_class, sample_limit(me, bin->batch ? bin->batch : 1));
    if (taken.count == 0) return taken;
    sample_count(me, taken.count);
    bin->batch = (uint16_t)(bin->batch * 2 < bin->cap ? bin->batch * 2 : bin->cap);
    bin->head = link_encode(link_read(taken.first));
    link_clear(taken.first);
    bin->room = (int32_t)(bin->cap + 1 - taken.count);
    return taken;
}

// --- blocks with pages of their own

static void* reserve_large(size_t size, size_t alignment) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) return NULL;
    void* block = large_alloc(reserve, size, alignment, false);
    reserve_end(reserve);
    return block;
}

// With pages of its own, of any size.
static void* malloc_pages(size_t size, size_t alignment, bool zero) {
    if (sanitizer_serves()) {
        void* block = sanitizer_malloc(alignment, size);
        if (block && zero) memset(block, 0, size);
        return block ? block : no_memory();
    }
    wake_if_asked();
    bool clear = zero || zero_is(ZERO_ALLOC);
    HakTcb* me = thread_operation();
    void* block = me ? large_alloc(me, size, alignment, clear) : reserve_large(size, alignment);
    if (me) operation_end(me);
    if (block == NULL) return no_memory();
    if (me == NULL && clear) memset(block, 0, size);
    if (zero_is(ZERO_ALLOC)) memset((char*)block + size, 0, block_bytes(block) - size);
    note_malloc(block, size);
    return block;
}

static void* malloc_large(size_t size, size_t alignment, bool zero) {
    if (size > PTRDIFF_MAX) return no_memory();
    bool sampled = profile_is_on() && profile_is_due(size) && !sanitizer_serves();
    void* block = malloc_pages(size, alignment, zero);
    if (sampled && block) profile_sampled(block, size, size);
    return block;
}

// --- blocks of a class

static TakenBlocks reserve_refill(unsigned size_class) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) return (TakenBlocks){NULL, 0, false};
    TakenBlocks taken = refill(reserve, size_class, 1);
    if (taken.first) link_clear(taken.first);
    reserve_end(reserve);
    return taken;
}

// The counted bin is empty. The caller has taken a block, and the bin has the others: they become counted ones, up to
// the next sample.
static void count_blocks(HakTcb* me, unsigned size_class) {
    uint32_t* left = profile_mallocs_left(me, size_class);
    if (*left > 1) --*left;  // it is 1 only where there was no memory for the sample
    *left -= bin_split(&hak_tls.bin[size_class], counted_bin(size_class), *left - 1);
}

// Takes a block of the class, whose bin was found empty. A new thread may have got parked bins, a signal handler may
// have left a block, hits may be stopped, and the heap profile may have been on.
static TakenBlocks take(HakTcb* me, unsigned size_class) {
    TlsBin *bin = &hak_tls.bin[size_class], *counted = counted_bin(size_class);
    TakenBlocks taken = {NULL, 1, false};
    if (HAK_UNLIKELY(counted && bin_blocks(counted) != 0)) {
        if (!profile_is_on()) bin_join(counted, bin);
        taken.first = bin_take(counted);
        if (taken.first) return taken;
    }
    taken.first = bin_take(bin);
    if (taken.first == NULL) taken = refill_bin(me, bin, size_class);
    if (taken.first && counted && profile_is_on()) count_blocks(me, size_class);
    return taken;
}

// Fills the bin of the class, which was found empty, and takes the first block.
static TakenBlocks take_first(unsigned size_class) {
    if (sanitizer_serves()) {
        return (TakenBlocks){sanitizer_malloc(1, size_of_class(size_class)), 1, false};
    }
    wake_if_asked();
    HakTcb* me = thread_operation();
    if (me == NULL) return reserve_refill(size_class);
    TakenBlocks taken = take(me, size_class);
    operation_end(me);
    return taken;
}

// The same, unless the block is a sample.
static TakenBlocks take_or_sample(unsigned size_class, size_t alignment, size_t size) {
    void* sampled = sample_is_near() && thread_tcb() ? sample_malloc(alignment, size) : NULL;
    if (HAK_LIKELY(sampled == NULL)) return take_first(size_class);
    if (!sample_is_dense()) sample_stands_for(sampled, take_first(size_class).first);
    return (TakenBlocks){sampled, 1, false};
}

// Behind a sampled block the program has no bytes.
static size_t bytes_to_clear(const void* block, unsigned size_class, size_t size) {
    return sample_contains(block) ? size : size_of_class(size_class);
}

HAK_INLINE TlsBin* bin_of_tiny(size_t size) {
    return fast_bin(load_relaxed(&hak_tag_of_tiny[size]));
}

// TINY_MAX < size <= SMALL_MAX
HAK_INLINE TlsBin* bin_of_small(size_t size) {
    return fast_bin(hak_tag_of_small[(size - 1) / SMALL_STEP]);
}

// In a page run of an earlier sample.
static void* malloc_spare(size_t size, size_t alignment, bool zero) {
    bool fits = alignment <= PAGE_SIZE_BYTES && !zero_is(ZERO_ALLOC);
    void* block = fits ? spare_take(large_pages(size)) : NULL;
    if (block == NULL) return NULL;
    note_malloc(block, size);
    return zero ? memset(block, 0, size) : block;
}

// For a malloc of a class while the heap profile is on: counts it, unless it was when its block got into a counted bin.
// The block, if it is to be a sample.
static HAK_NOINLINE void* malloc_profiled(unsigned size_class, size_t alignment, size_t size, bool zero) {
    if (sanitizer_serves() || !profile_class_is_due(size_class, size)) return NULL;
    int error = errno;
    const size_t room = size_of_class(size_class);  // so that a realloc finds what it would find in a slab
    void* block = malloc_spare(room, alignment, zero);
    if (HAK_UNLIKELY(block == NULL)) block = malloc_pages(room, alignment, zero);
    if (block) profile_sampled(block, size, profile_counted_bytes(size_class, size));
    errno = error;  // a bin may still have a block
    return block;
}

static TlsBin* bin_of_malloc(unsigned size_class) {
    size_t size = size_of_class(size_class);
    return size <= TINY_MAX ? bin_of_tiny(size) : bin_of_small(size);
}

static void* malloc_class(unsigned size_class, size_t alignment, size_t size) {
    void* sampled = profile_is_on() ? malloc_profiled(size_class, alignment, size, false) : NULL;
    if (HAK_UNLIKELY(sampled != NULL)) return sampled;
    void* block = bin_pop(bin_of_malloc(size_class));
    if (HAK_UNLIKELY(block == NULL)) block = take_or_sample(size_class, alignment, size).first;
    if (zero_is(ZERO_ALLOC) && block) memset(block, 0, bytes_to_clear(block, size_class, size));
    return HAK_LIKELY(block != NULL) ? handed_out(block, size) : no_memory();
}

static void* calloc_small(size_t size) {
    void* sampled = profile_is_on() ? malloc_profiled(class_of_size(size), 1, size, true) : NULL;
    if (HAK_UNLIKELY(sampled != NULL)) return sampled;
    TakenBlocks taken = {bin_pop(bin_of_small(size)), 1, false};
    if (HAK_UNLIKELY(taken.first == NULL)) taken = take_or_sample(class_of_size(size), 1, size);
    if (HAK_UNLIKELY(taken.first == NULL)) return no_memory();
    if (taken.zero && hak_tls.tcb) tcb_count(hak_tls.tcb, HAK_C_calloc_known_zero);
    if (zero_is(ZERO_ALLOC)) size = bytes_to_clear(taken.first, class_of_size(size), size);
    memset(taken.first, 0, taken.zero ? sizeof(uint64_t) : size);
    return handed_out(taken.first, size);
}

static HAK_NOINLINE void* malloc_missed(size_t size) {
    return malloc_class(class_of_size(size), 1, size);
}

// --- while the heap profile is on: in the usual case, without a slow path. Calls are in tail position only

// The bin is empty, too, or the next sample comes before its end; or the counted bin is not empty, as the profile has
// just begun again. Ends the operation.
static HAK_NOINLINE void* malloc_counted_refill(HakTcb* me, size_t size) {
    unsigned size_class = class_of_size(size);
    TlsBin* bin = &hak_tls.bin[size_class];
    bool empty = bin_first(bin) == NULL && bin_first(counted_bin(size_class)) == NULL;
    bool usual = me->tiny[size_class].profile_left > 1 && !wake_is_asked() && !sample_is_dense();
    void* block = usual && empty ? refill_bin(me, bin, size_class).first : NULL;
    if (HAK_LIKELY(block != NULL)) count_blocks(me, size_class);
    operation_end(me);
    return HAK_LIKELY(block != NULL) ? handed_out(block, size) : malloc_missed(size);
}

// The counted bin is empty: the blocks that were freed meanwhile become counted ones.
static HAK_NOINLINE HAK_LINE_START void* malloc_counted_tiny(size_t size) {
    unsigned size_class = class_of_size(size);
    HakTcb* me = link_hits_are_stopped() ? NULL : operation_begin_at_once();
    if (HAK_UNLIKELY(me == NULL)) return malloc_missed(size);
    TlsBin* bin = &hak_tls.bin[size_class];
    uint32_t *left = &me->tiny[size_class].profile_left, blocks = bin_blocks(bin);
    bool usual = blocks != 0 && blocks < *left && bin_blocks(counted_bin(size_class)) == 0;
    void* block = HAK_LIKELY(usual) ? bin_take(bin) : NULL;
    if (HAK_UNLIKELY(block == NULL)) return malloc_counted_refill(me, size);
    *left -= blocks;
    bin_move(bin, counted_bin(size_class));
    operation_end(me);
    return handed_out(block, size);
}

// There is no counted bin: this takes the block as a hit would have.
HAK_INLINE void* malloc_counted_small(size_t size) {
    void* block = HAK_LIKELY(hak_tls.profile_left >= (int64_t)size) ? bin_pop(bin_of_small(size)) : NULL;
    if (HAK_UNLIKELY(block == NULL)) return malloc_missed(size);
    hak_tls.profile_left -= (int64_t)size;
    return handed_out(block, size);
}

void* malloc_refill(size_t size) {
    return HAK_LIKELY(!profile_is_on() || size > TINY_MAX) ? malloc_missed(size) : malloc_counted_tiny(size);
}

// Ends the operation.
static HAK_NOINLINE void* malloc_run_uncached(HakTcb* me, size_t size) {
    void* run = large_alloc(me, size, 1, false);
    operation_end(me);
    if (HAK_UNLIKELY(run == NULL)) return no_memory();
    note_malloc(run, size);
    wake_if_asked();
    return run;
}

// SMALL_MAX < size <= RUN_MAX. Calls are in tail position only.
static HAK_NOINLINE void* malloc_run(size_t size) {
    HakTcb* me = link_hits_are_stopped() || profile_is_on() ? NULL : operation_begin_at_once();
    if (HAK_UNLIKELY(me == NULL)) return malloc_large(size, 1, false);
    size_t pages = (size - 1) / PAGE_SIZE_BYTES + 1;
    void* run = pages <= RUN_SHORT_MOST ? run_cache_take_short(me, hak_run_bins[pages]) : NULL;
    if (HAK_UNLIKELY(run == NULL)) return malloc_run_uncached(me, size);
    operation_end(me);
    note_malloc(run, size);
    return run;
}

// Large, or the heap profile is on.
static HAK_NOINLINE HAK_LINE_START void* malloc_no_hit(size_t size) {
    if (HAK_LIKELY(size <= SMALL_MAX)) return malloc_counted_small(size);
    return HAK_LIKELY(size <= RUN_MAX) ? malloc_run(size) : malloc_large(size, 1, false);
}

void* malloc_above_tiny(size_t size) {
    if (HAK_UNLIKELY(size > load_relaxed(&hak_small_hits))) return malloc_no_hit(size);
    void* block = bin_pop(bin_of_small(size));
    return HAK_LIKELY(block != NULL) ? handed_out(block, size) : malloc_refill(size);
}

void* malloc_zeroed_above_tiny(size_t size) {
    return size > SMALL_MAX ? malloc_large(size, 1, true) : calloc_small(size);
}

// --- alignment

// Slabs start at multiples of 64 KiB, so blocks of a class stand at multiples of their size. Powers of two are classes,
// so one fits.
static unsigned class_aligned(size_t alignment, size_t size) {
    unsigned c = class_of_size(size ? align_up(size, alignment) : alignment);
    while (size_of_class(c) & (alignment - 1)) c++;
    return c;
}

void* malloc_aligned(size_t alignment, size_t size) {
    if (sanitizer_serves()) return sanitizer_malloc(alignment, size);
    if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX) return no_memory();
    bool of_class = size <= SMALL_MAX && alignment <= SMALL_MAX && align_up(size, alignment) <= SMALL_MAX;
    if (of_class) return malloc_class(class_aligned(alignment, size), alignment, size);
    return malloc_large(size, alignment, false);
}
