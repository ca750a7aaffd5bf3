#include "front/free.h"

#include "base/fatal.h"
#include "config/options.h"
#include "front/block.h"
#include "front/hits.h"
#include "front/life.h"
#include "front/others.h"
#include "front/sanitizer.h"
#include "front/suspect.h"
#include "front/wake.h"
#include "front/wrong_free.h"
#include "front/zero.h"
#include "profile/profile.h"
#include "profile/spare_runs.h"
#include "refill/give_back.h"
#include "sample/sample.h"
#include "slab/bundle.h"
#include "slab/hand_over.h"
#include "slab/own_runs.h"
#include "slab/remote_free.h"
#include "superslab/huge.h"
#include "superslab/size_class.h"

#include <string.h>

// --- bins that are full

// A bin's cap doubles while frees into own slabs find the bin full again and again, up to a slab's worth or a thousand.
// So a program that allocates and frees in large batches gets large bins, and one that only fluctuates does not. Scans
// halve the cap again (refill/give_back.c).
static uint32_t most_cap(unsigned size_class) {
    enum { MOST = 1024 };
    uint32_t capacity = class_capacity(size_class);
    return capacity < BIN_FIRST_CAP ? BIN_FIRST_CAP : capacity < MOST ? capacity : MOST;
}

// Whether the last OVERFLOWS_SAMPLE frees came in a batch: few refills in between, and not the first since the last
// scan.
static bool came_in_a_batch(const HakTcb* me, TinyTLSSlab* tls) {
    bool batch = me->ticks - tls->overflow_ticks < OVERFLOWS_SAMPLE;
    tls->overflow_ticks = me->ticks;
    return batch && load_relaxed(&tls->overflows) - tls->seen_overflows > OVERFLOWS_SAMPLE;
}

// Called after OVERFLOWS_SAMPLE more frees have found the bin full.
static HAK_NOINLINE void note_overflows(HakTcb* me, TlsBin* bin, unsigned size_class) {
    counter_add(&me->counters, HAK_C_free_ss_local, OVERFLOWS_SAMPLE);
    wake_if_asked();
    if (operation_begin() == NULL) return;
    if (came_in_a_batch(me, &me->tiny[size_class]) && bin->cap != 0 && hak_option(fast_cap) < 0) {
        uint32_t most = most_cap(size_class), cap = bin->cap * 2u < most ? bin->cap * 2u : most;
        bin->room += (int32_t)(cap - bin->cap);
        bin->cap = (uint16_t)cap;
    }
    give_back_idle(me);
    operation_end(me);
}

// --- blocks that go elsewhere

// Ends the operation. A scan is an operation of its own, and this is a tail call.
HAK_INLINE void end_overflow(HakTcb* me, TlsBin* bin, unsigned size_class) {
    uint32_t overflows = load_relaxed(&me->tiny[size_class].overflows) + 1;
    store_relaxed(&me->tiny[size_class].overflows, overflows);
    operation_end(me);
    if (HAK_UNLIKELY(overflows % OVERFLOWS_SAMPLE == 0)) note_overflows(me, bin, size_class);
}

// The slab changes its list, or becomes empty.
static HAK_NOINLINE void free_over_moving(HakTcb* me, TlsBin* bin, OwnedSlab slab, unsigned size_class, void* p) {
    slab_free_chain(me, slab, p, p, 1);
    end_overflow(me, bin, size_class);
}

// The bin is full, and the slab is the thread's own. Calls are in tail position only, because a thread that frees what
// it never allocates comes here each time.
HAK_INLINE void free_over_own(HakTcb* me, TlsBin* bin, OwnedSlab slab, unsigned size_class, void* p) {
    note_free(p, FREE_SS_LOCAL);
    if (HAK_LIKELY(slab_free_in_place(me, slab, size_class, p)))
        end_overflow(me, bin, size_class);
    else
        free_over_moving(me, bin, slab, size_class, p);
}

static void reserve_free(void* p) {
    HakTcb* reserve = reserve_begin();
    if (reserve == NULL) fatal("memory", "free", "no memory for the reserve TCB, which is needed to free %p", p);
    block_free(reserve, p);
    reserve_end(reserve);
}

// The block goes to its slab, which was not the caller's. If the slab has no owner, it becomes the caller's, and the
// block goes onto its free list. Otherwise the block goes into a bundle.
static void free_to_slab(HakTcb* me, SlabNumber s, uint64_t word, void* p) {
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

// A thread that has not allocated yet gets a TCB only when it frees often. The C library frees a few blocks in the last
// steps of a thread's life, when nobody would give the TCB back.
static HakTcb* operation_for_free(void) {
    enum { FEW = 64 };
    HakTls* tls = &hak_tls;
    if (tls->tcb == NULL && tls->early_frees < FEW && ++tls->early_frees) return NULL;
    return thread_operation();
}

static HAK_COLD void free_of_others(void* p) {
    if (sample_contains(p))
        free_sampled("free", p);
    else if (sanitizer_serves())
        sanitizer_free(p);
    else
        wrong_pointer("free", p);
}

static void free_huge(SlabNumber s, void* p) {
    operation_watch_if_due();
    if (profile_has_samples()) profile_forget(p);
    note_free(p, FREE_HUGE);
    if (!huge_free(s)) wrong_pointer("free", p);  // another thread freed it first
}

// Whether p starts a block of the tag's class, and does not look like a free one. False for tag 0.
HAK_INLINE bool is_usual(const void* p, uint64_t tag) {
    return HAK_LIKELY(is_start_in_class(p, tag) && !link_looks_free(p));
}

// A run of another thread: its owner closes it, but only when it takes it off the remote stack. Until then the first
// page has a link, and all others are closed here.
static HAK_COLD void close_for_owner(void* p) {
    const HakTcb* me = hak_tls.tcb;
    bool mine = me && runs_if_mine(me, run_first_slab(p)).head.number != 0;
    if (!mine) run_close(p, run_pages(p), 1);
}

// For the start of a block of a class, or of a page run. `word`: of its slab.
static HAK_NOINLINE void free_to_owner(void* p, uint64_t word) {
    if (tag_is_runs(word_tag(word)) && closing_on()) close_for_owner(p);
    HakTcb* me = operation_for_free();
    if (HAK_UNLIKELY(me == NULL)) {
        reserve_free(p);
        return;
    }
    if (tag_is_class(word_tag(word))) {
        free_to_slab(me, (SlabNumber)slab_number_of(p), word, p);
    } else {
        note_free(p, FREE_RUN);
        block_free(me, p);
    }
    operation_end(me);
}

static uint64_t word_of(const void* p) {
    // pairs with the releases in slab_begin, huge_alloc, huge_resize
    return load_acquire(&hak_heap.owner[slab_number_of(p)]);
}

static HAK_COLD void free_suspect(void* p) {
    void* instead = suspect_settle(p);
    if (instead == NULL) return;
    if (zero_is(ZERO_FREE)) zero_block(instead);
    free_to_owner(instead, word_of(instead));
}

// For blocks that go neither into a bin nor into the run cache.
static HAK_NOINLINE void free_uncached(void* p) {
    if (!heap_contains(p))
        free_of_others(p);
    else if (!is_block_start(p))
        wrong_pointer("free", p);
    else if (block_is_huge(p))
        free_huge((SlabNumber)slab_number_of(p), p);
    else if (HAK_UNLIKELY(link_looks_free(p)))
        free_suspect(p);
    else
        free_to_owner(p, word_of(p));
}

// --- page runs: calls in tail position only

static HAK_NOINLINE void free_run_settling(HakTcb* me, OwnedRuns runs) {
    runs_settle(me, runs);
    operation_end(me);
}

// A run of the thread's own was put into its cache. Ends the operation.
HAK_INLINE void end_cached(HakTcb* me, OwnedRuns runs, RunEntry entry, void* p) {
    tcb_count(me, HAK_C_free_run);
    note_free(p, FREE_RUN);
    if (HAK_UNLIKELY(entry.map->live == 0))
        free_run_settling(me, runs);
    else
        operation_end(me);
}

// Whether the run may wait on the remote stack of its SuperSlab, because another thread has freed it. Its first page is
// looked at only where something waits there: it may be in no cache.
HAK_INLINE bool may_be_remote(OwnedRuns runs, const void* p) {
    return HAK_UNLIKELY(remote_has_blocks(runs.head)) && link_looks_free(p);
}

// For a run of the thread's own that has no place in a bin. Ends the operation.
static HAK_NOINLINE void free_run_long(HakTcb* me, OwnedRuns runs, void* p, uint32_t pages) {
    if (HAK_UNLIKELY(pages == 0 || pages > RUN_PAGES || may_be_remote(runs, p))) {
        operation_end(me);
        free_uncached(p);
    } else if (run_cache_keep_long(me, runs, p, pages)) {
        end_cached(me, runs, run_entry(runs, p), p);
    } else {
        note_free(p, FREE_RUN);
        slab_free_chain(me, runs.head, p, p, 1);
        operation_end(me);
    }
}

HAK_INLINE void free_run(void* p) {
    HakTcb* me = operation_begin_at_once();
    if (HAK_UNLIKELY(me == NULL)) {
        free_uncached(p);
        return;
    }
    SlabNumber s = run_first_slab(p);
    if (s == 0) __builtin_unreachable();  // unit 0 has no slab
    OwnedRuns runs = runs_if_mine(me, s);
    if (HAK_UNLIKELY(runs.head.number == 0)) {
        operation_end(me);
        free_uncached(p);
        return;
    }
    RunEntry entry = run_entry(runs, p);
    uint32_t pages = run_pages_to_cache(entry, p);
    if (HAK_LIKELY(!may_be_remote(runs, p) && run_cache_put_short(me, entry, p, pages)))
        end_cached(me, runs, entry, p);
    else
        free_run_long(me, runs, p, pages);
}

static HAK_NOINLINE void free_run_profiled(void* p) {
    ProfileSample sample = profile_take(p);
    profile_freed(sample);
    if (HAK_UNLIKELY(spare_has(p)))
        wrong_use_of_free("double_free", "free", p, "it is kept for the next sample of the heap profile");
    else if (sample.site && !closing_on() && spare_put(p, run_pages(p)))
        note_free(p, FREE_RUN);
    else
        free_run(p);
}

// --- a full bin

// The slab has no owner, or another one by now. Or it is not a slab any more, if the block was freed twice.
static HAK_NOINLINE void free_over_not_own(HakTcb* me, SlabNumber s, void* p) {
    uint64_t word = load_acquire(&hak_heap.owner[s]);  // pairs with the release in slab_begin
    bool of_class = tag_is_class(word_tag(word));
    if (of_class) free_to_slab(me, s, word, p);
    operation_end(me);
    if (!of_class) free_uncached(p);
}

// The bin is full, or the thread does not allocate the class and so has no use for the block in a bin. The slab may
// have got another owner since, or not be a slab: words that name none lead to bin 0, which has no room.
void free_over(void* p, uint64_t tag, TlsBin* bin) {
    bin->room++;
    HakTcb* me = is_usual(p, tag) ? operation_begin_at_once() : NULL;
    if (HAK_UNLIKELY(me == NULL)) {
        free_uncached(p);
        return;
    }
    SlabNumber s = (SlabNumber)slab_number_of(p);
    if (s == 0) __builtin_unreachable();  // unit 0 has no slab
    OwnedSlab slab = slab_if_mine(me, s, tag);
    if (HAK_LIKELY(slab.number))
        free_over_own(me, bin, slab, (unsigned)(tag / TAG_PER_CLASS), p);
    else
        free_over_not_own(me, s, p);
}

void free_suspected(void* p, uint64_t tag) {
    fast_bin(tag)->room++;
    free_suspect(p);
}

// What a hit would do, where the block must be cleared. It is usual, and `word` is that of its slab.
static HAK_COLD void free_cleared(void* p, uint64_t word) {
    uint64_t tag = word & hak_tls.foreign;
    if (!slab_has_cut((SlabNumber)slab_number_of(p), p)) {
        wrong_pointer("free", p);
        return;
    }
    memset(p, 0, size_of_class((unsigned)(word_tag(word) / TAG_PER_CLASS)));
    HakTcb* me = tag < TAG_CLASSES && fast_bin(tag)->room > 0 ? operation_begin() : NULL;
    if (me) {
        fast_bin(tag)->room--;
        note_free(p, FREE_TLS_SLL);
        bin_push(fast_bin(tag), p);
        operation_end(me);
    } else if (tag < TAG_CLASSES) {
        fast_bin(tag)->room--;
        free_over(p, tag, fast_bin(tag));
    } else
        free_to_owner(p, word);
}

// A hit, or what a hit would call. Nobody has used the block, so it is no suspect.
static void free_behind(void* p) {
    uint64_t tag = load_relaxed(&hak_heap.owner[slab_number_of(p)]) & hak_tls.foreign;
    HakTcb* me = tag < TAG_CLASSES ? hit_begin() : NULL;
    if (tag >= TAG_CLASSES || (HAK_CHECKED && me == NULL)) {
        free_slow(p);
        return;
    }
    bool has_room = --fast_bin(tag)->room >= 0;
    if (has_room) bin_push(fast_bin(tag), p);
    hit_end(me);
    if (!has_room) free_over(p, tag, fast_bin(tag));
}

void free_sampled(const char* function, void* p) {
    void* behind = sample_free(function, p);
    if (behind) free_behind(behind);
}

static HAK_COLD void free_and_clear(void* p) {
    uint64_t word = word_of(p), tag = word_tag(word);
    if (tag_is_class(tag) && is_usual(p, tag)) {
        free_cleared(p, word);
        return;
    }
    if (tag_is_runs(tag) && profile_has_samples()) profile_forget(p);
    if (tag_is_runs(tag) && is_block_start(p) && !link_looks_free(p)) zero_block(p);
    free_uncached(p);
}

static HAK_NOINLINE void free_no_hit(void* p) {
    if (heap_contains(p) && zero_is(ZERO_FREE))
        free_and_clear(p);
    else
        free_uncached(p);
}

// NULL is tested here: programs often free it, and a hit notices it anyway.
void free_slow(void* p) {
    if (p == NULL) return;
    if (HAK_UNLIKELY(slab_number_of(p) >= load_relaxed(&hak_heap.hit_slabs))) {
        free_no_hit(p);
        return;
    }
    uint64_t word = word_of(p), tag = word_tag(word);
    if (tag_is_runs(tag) && profile_has_samples())
        free_run_profiled(p);
    else if (tag_is_runs(tag))
        free_run(p);
    else if (tag_is_class(tag) && is_usual(p, tag))
        free_to_owner(p, word);
    else
        free_uncached(p);
}
