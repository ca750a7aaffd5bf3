#include "slab/own_runs.h"

#include "slab/free_runs.h"
#include "slab/hand_over.h"

Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align) {
    FreeRun found = free_runs_find(me, pages + closing_wanted(), align);
    if (found.first == 0) return (Run){NULL, false};
    return runs_take(me, runs_own(me, found.first), found.fit, pages, align);
}

// Absorbs what others freed into one SuperSlab. This gives back no other one.
static bool absorb(HakTcb* me, OwnedRuns runs) {
    if (!remote_has_blocks(runs.head)) return false;
    slab_absorb(me, runs.head);
    if (runs_is_idle(runs)) runs_settle(me, runs);
    return true;
}

void run_absorb_all(HakTcb* me) {
    for (SlabNumber s = me->runs, next; s; s = next) {
        next = peek_own(s)->next;
        absorb(me, runs_own(me, s));
    }
}

bool run_absorb_in_turn(HakTcb* me, uint32_t most) {
    bool some = false;
    SlabNumber s = me->next_absorbed ? me->next_absorbed : me->runs;
    for (SlabNumber next; s && most > 0 && !some; s = next, most--) {
        next = peek_own(s)->next;
        some = absorb(me, runs_own(me, s));
    }
    me->next_absorbed = s;
    if (s == 0 && me->absorb_ends != 0) me->absorb_ends--;
    return some;
}

// Where there is a note, there may have been no place for another one. So each SuperSlab is looked at after that: from
// the next one to the end of the list, and from its beginning to its end.
static bool absorb_told(HakTcb* me) {
    for (unsigned i = 0; i < PUSHED_RUNS; i++) {
        SlabNumber s = load_relaxed(&me->runs_pushed[i]);
        if (s == 0) continue;
        store_relaxed(&me->runs_pushed[i], 0u);
        me->absorb_ends = 2;
        OwnedRuns runs = runs_if_mine(me, s);
        if (runs.head.number && absorb(me, runs)) return true;
    }
    return false;
}

void run_absorb_some(HakTcb* me) {
    enum { A_FEW = 8 };
    if (!absorb_told(me) && me->absorb_ends != 0) run_absorb_in_turn(me, A_FEW);
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
