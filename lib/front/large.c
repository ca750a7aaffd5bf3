#include "front/large.h"

#include "observe/steps.h"
#include "refill/give_back.h"
#include "refill/give_up.h"
#include "slab/hand_over.h"
#include "slab/own_runs.h"
#include "superslab/huge.h"
#include "superslab/superslab.h"

#include <string.h>

static uint32_t alignment_pages(size_t alignment) {
    return alignment <= PAGE_SIZE_BYTES ? 1 : (uint32_t)(alignment >> PAGE_SHIFT);
}

static bool adopt_runs(HakTcb* me) {
    enum { PROBES = 4 };
    if (!registry_has(CLASS_OF_RUNS)) return false;
    ClaimResult result;
    OwnedSlab slab = slab_adopt_registered(me, CLASS_OF_RUNS, PROBES, &result);
    if (slab.number == 0) return false;
    runs_place(me, runs_of(slab), PLACE_PARTIAL);
    return true;
}

// In a new SuperSlab. If its pages cannot be opened, it is idle, also where another one's can be by now.
static Run find_in_new(HakTcb* me, uint32_t pages, uint32_t align) {
    bool clean = false;
    SlabNumber s = superslab_make_runs(me->run_superslabs, &clean);
    if (s == 0) return (Run){NULL, false};
    OwnedRuns runs = runs_create(me, s, clean);
    runs_place(me, runs, PLACE_PARTIAL);
    Run run = run_alloc(me, pages, align);
    if (HAK_UNLIKELY(runs_is_idle(runs))) runs_settle(me, runs);
    return run;
}

// Tries own SuperSlabs first, because pages used before are better than new ones; then those again, without the long
// cached runs and those of the idle SuperSlab; then with what others freed; then SuperSlabs without owner; then a new
// one.
static Run find_run(HakTcb* me, uint32_t pages, uint32_t align) {
    enum { A_TURN = 64 };
    Run run = run_alloc(me, pages, align);
    if (HAK_LIKELY(run.block != NULL)) return run;
    if (run_cache_flush_some(me)) run = run_alloc(me, pages, align);
    if (run.block == NULL && run_absorb_in_turn(me, A_TURN)) run = run_alloc(me, pages, align);
    // Only a few: one that does not fit stays with the thread.
    for (int tries = 0; run.block == NULL && tries < 4 && adopt_runs(me); tries++) run = run_alloc(me, pages, align);
    while (run.block == NULL && give_back_left(1))  // in the child of a fork
        if (adopt_runs(me)) run = run_alloc(me, pages, align);
    return run.block ? run : find_in_new(me, pages, align);
}

static bool is_huge(size_t size, size_t alignment) {
    return size > RUN_MAX || alignment > RUN_MAX;
}

// For what is in no cache.
static Run find_block(HakTcb* me, size_t size, size_t alignment, bool zero) {
    if (is_huge(size, alignment)) return (Run){huge_alloc(size, alignment, zero), zero};
    return find_run(me, large_pages(size), alignment_pages(alignment));
}

// Takes a cached run of that length or the next. It is at most a quarter too long, and found without a search.
static void* take_short(HakTcb* me, uint32_t pages) {
    void* block = run_cache_take_short(me, hak_run_bins[pages]);
    return block || pages == RUN_SHORT_MOST ? block : run_cache_take_short(me, hak_run_bins[pages + 1]);
}

void* large_alloc(HakTcb* me, size_t size, size_t alignment, bool zero) {
    bool cacheable = size <= RUN_MAX && alignment <= PAGE_SIZE_BYTES;
    uint32_t pages = size <= RUN_MAX ? large_pages(size) : 0;
    void* cached = cacheable && run_is_short(pages) ? take_short(me, pages) : NULL;
    if (cached == NULL) {
        // So scans come even if the program asks for the same long run again and again.
        give_back_idle(me);
        if (run_may_absorb(me)) run_absorb_some(me);
        if (cacheable) cached = run_cache_take_long(me, pages);
    }
    if (cached) return zero ? memset(cached, 0, size) : cached;
    Run run = find_block(me, size, alignment, zero);
    if (run.block == NULL) {  // giving back what the thread keeps may make room
        give_back_all(me);
        run = find_block(me, size, alignment, zero);
    }
    if (is_huge(size, alignment)) return run.block;
    if (run.block && zero) {
        if (run.zero)
            tcb_count(me, HAK_C_calloc_known_zero);
        else
            memset(run.block, 0, size);
    }
    return run.block;
}

bool run_resize_in_place(HakTcb* me, void* block, size_t size) {
    if (size <= SMALL_MAX || size > RUN_MAX) return false;
    uint32_t pages = large_pages(size), now = run_pages(block);
    // take_short gives the next length, too
    if (pages == now || (run_is_short(now) && run_next_length(pages) == now)) return true;
    SlabNumber s = run_first_slab(block);
    STEP(RS);
    OwnedRuns runs = me ? runs_if_mine(me, s) : (OwnedRuns){{0}};
    STEP(RZ);
    if (runs.head.number) return runs_resize(me, runs, block, pages);
    return pages < now && pages >= now / 2;  // another thread's: it stays while little is wasted
}
