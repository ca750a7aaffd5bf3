#include "slab/places.h"

#include "slab/slab_list.h"

// --- slabs of blocks

static SlabList list_of(TinyTLSSlab* tls, SlabPlace place) {
    return place == PLACE_FULL ? (SlabList){&tls->full, &tls->full_last}
                               : (SlabList){&tls->partial, &tls->partial_last};
}

static bool has_list(SlabPlace place) {
    return place == PLACE_PARTIAL || place == PLACE_FULL;
}

// change: 1 or -1.
static void count_place(HakTcb* me, const TinySlabMeta* meta, int change) {
    TinyTLSSlab* tls = &me->tiny[meta->size_class];
    if (meta->where == PLACE_FULL) {
        tls->full_count = (uint8_t)(tls->full_count + change);
    } else if (meta->where == PLACE_PARTIAL) {
        me->partial_slabs += (uint32_t)change;
        tls->partial_count += (uint32_t)change;
        tls->partial_free += (uint32_t)change * meta_free(meta);
    }
}

void slab_place(HakTcb* me, OwnedSlab slab, SlabPlace place) {
    TinySlabMeta* meta = meta_of(slab);
    TinyTLSSlab* tls = &me->tiny[meta->size_class];
    SlabPlace before = (SlabPlace)meta->where;
    count_place(me, meta, -1);
    if (has_list(before)) slab_list_remove(list_of(tls, before), slab.number);
    meta->where = (uint8_t)place;
    if (has_list(place)) slab_list_push(list_of(tls, place), slab.number);
    count_place(me, meta, 1);
}

// --- SuperSlabs of page runs

static unsigned bucket_of(uint32_t longest) {
    return longest ? log2_floor(longest) : 0;
}

static SlabList runs_list(HakTcb* me, OwnedRuns runs) {
    return (SlabList){&me->runs[bucket_of(run_map(runs)->longest)], NULL};
}

void runs_place(HakTcb* me, OwnedRuns runs, SlabPlace place) {
    TinySlabMeta* meta = meta_of(runs.head);
    if (meta->where != PLACE_NONE) {
        slab_list_remove(runs_list(me, runs), runs.head.number);
        me->run_superslabs--;
    }
    meta->where = (uint8_t)place;
    if (place == PLACE_NONE) return;
    slab_list_push(runs_list(me, runs), runs.head.number);
    me->run_superslabs++;
}

// Takes it out of the old list before the length changes, and puts it into the new one after.
void runs_set_longest(HakTcb* me, OwnedRuns runs, uint32_t longest) {
    RunMap* map = run_map(runs);
    bool moves = meta_of(runs.head)->where != PLACE_NONE && bucket_of(map->longest) != bucket_of(longest);
    if (moves) runs_place(me, runs, PLACE_NONE);
    map->longest = (uint16_t)longest;
    if (moves) runs_place(me, runs, PLACE_PARTIAL);
}

SlabNumber runs_fullest(const HakTcb* me, SlabNumber but) {
    for (int b = 0; b < RUN_BUCKETS; b++)
        for (SlabNumber s = me->runs[b]; s; s = peek_own(s)->next)
            if (s != but) return s;
    return 0;
}

bool runs_is_spare(OwnedRuns runs) {
    return run_map(runs)->longest >= PAGES_PER_UNIT / 2;
}

bool runs_has_spare(const HakTcb* me, SlabNumber but) {
    for (int b = RUN_BUCKETS - 2; b < RUN_BUCKETS; b++) {
        SlabNumber first = me->runs[b];
        if (first && (first != but || peek_own(first)->next)) return true;
    }
    return false;
}
