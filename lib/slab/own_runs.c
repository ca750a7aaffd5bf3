#include "slab/own_runs.h"

#include "slab/free_runs.h"
#include "slab/hand_over.h"

Run run_alloc(HakTcb* me, uint32_t pages, uint32_t align) {
    FreeRun found = free_runs_find(me, pages + closing_wanted(), align);
    if (found.first == 0) return (Run){NULL, false};
    return runs_take(me, runs_own(me, found.first), found.fit, pages, align);
}

// Absorbs what others freed into one SuperSlab, `most` runs at most. This gives back no other one.
static bool absorb(HakTcb* me, OwnedRuns runs, uint32_t most) {
    if (!remote_has_blocks(runs.head)) return false;
    RemoteBlocks remote = remote_drain(me, runs.head);
    void* rest = runs_free_chain(me, runs, remote.first, most);
    if (rest) remote_put_back(me, runs.head, rest, remote.count - most);
    if (runs_is_idle(runs)) runs_settle(me, runs);
    return true;
}

void run_absorb_all(HakTcb* me) {
    for (SlabNumber s = me->runs, next; s; s = next) {
        next = peek_own(s)->next;
        absorb(me, runs_own(me, s), UINT32_MAX);
    }
}

// Runs that a call takes in at most: a SuperSlab has room for a hundred.
enum { RUNS_AT_ONCE = HAK_EXPLORED ? 2 : 32 };

// Whether there is more to absorb in a SuperSlab, which may be the caller's no longer.
static bool absorb_again(const HakTcb* me, SlabNumber s) {
    OwnedRuns runs = runs_if_mine(me, s);
    return runs.head.number && remote_has_blocks(runs.head);
}

bool run_absorb_in_turn(HakTcb* me, uint32_t most) {
    bool some = false;
    SlabNumber s = me->next_absorbed ? me->next_absorbed : me->runs;
    for (SlabNumber next; s && most > 0 && !some; s = next, most--) {
        OwnedRuns runs = runs_own(me, s);
        next = peek_own(s)->next;
        some = absorb(me, runs, RUNS_AT_ONCE);
        if (some && absorb_again(me, s)) break;
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
        bool some = runs.head.number && absorb(me, runs, RUNS_AT_ONCE);
        if (some && absorb_again(me, s)) store_relaxed(&me->runs_pushed[i], s);
        if (some) return true;
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

bool run_cache_flush_few(HakTcb* me, uint32_t most) {
    for (void* block; most > 0 && (block = run_cache_take_oldest_long(me)) != NULL; most--) give_pages_back(me, block);
    for (; most > 0 && me->cached_pages; most--) give_pages_back(me, run_cache_take_any_short(me));
    return me->cached_pages + me->long_pages == 0;
}

void run_cache_flush(HakTcb* me) {
    run_cache_flush_few(me, UINT32_MAX);
}

bool run_cache_flush_some(HakTcb* me) {
    uint32_t before = me->cached_pages + me->long_pages;
    flush_long(me);
    OwnedRuns idle = runs_idle_one(me);
    if (idle.head.number) run_cache_drop(me, idle);
    return me->cached_pages + me->long_pages != before;
}
