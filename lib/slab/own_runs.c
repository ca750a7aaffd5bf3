#include "slab/own_runs.h"

#include "slab/hand_over.h"

Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align) {
    enum { PROBES = 8 };
    for (unsigned bucket = log2_floor(pages); bucket < RUN_BUCKETS; bucket++) {
        int probes = 0;
        for (SlabNumber s = me->runs[bucket], next; s && probes < PROBES; s = next, probes++) {
            next = peek_own(s)->next;
            Run run = runs_take(me, runs_own(me, s), pages, align);
            if (run.block) return run;
        }
    }
    return (Run){NULL, false};
}

bool run_absorb(HakTcb* me, uint32_t most) {
    bool some = false;
    for (unsigned bucket = 0; bucket < RUN_BUCKETS; bucket++)
        for (SlabNumber s = me->runs[bucket], next; s && most > 0; s = next, most--) {
            next = peek_own(s)->next;
            OwnedRuns runs = runs_own(me, s);
            if (!remote_has_blocks(runs.head)) continue;
            slab_absorb(me, runs.head);
            if (runs_is_idle(runs)) runs_settle(me, runs);  // gives back no other one, so `next` stays valid
            some = true;
        }
    return some;
}

// --- the cache

// Gives a run that left the cache back to its SuperSlab.
static void give_pages_back(HakTcb* me, void* block) {
    OwnedRuns runs = runs_own(me, run_first_slab(block));
    runs_free(me, runs, block);
    runs_settle(me, runs);
}

bool run_cache_keep_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages) {
    if (pages <= RUN_SHORT_MOST || pages > RUN_LONG_PAGES) return false;
    while (!run_cache_has_room_for_long(me, pages)) give_pages_back(me, run_cache_take_oldest_long(me));
    run_cache_put_long(me, runs, block, pages);
    return true;
}

static void flush_long(HakTcb* me) {
    for (void* block; (block = run_cache_take_oldest_long(me)) != NULL;) give_pages_back(me, block);
}

void run_cache_flush(HakTcb* me) {
    flush_long(me);
    for (void* block; me->cached_pages && (block = run_cache_take_any_short(me)) != NULL;) give_pages_back(me, block);
}

bool run_cache_flush_some(HakTcb* me) {
    uint32_t before = me->cached_pages + me->long_pages;
    flush_long(me);
    OwnedRuns idle = runs_idle_one(me);
    if (idle.head.number) run_cache_drop(me, idle);
    return me->cached_pages + me->long_pages != before;
}
