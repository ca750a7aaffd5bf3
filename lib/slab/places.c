#include "slab/places.h"

#include "slab/free_runs.h"
#include "slab/slab_list.h"
#include "thread/operation.h"

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
    operation_must_be_open(me, "slab_place");
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

void runs_place(HakTcb* me, OwnedRuns runs, SlabPlace place) {
    operation_must_be_open(me, "runs_place");
    TinySlabMeta* meta = meta_of(runs.head);
    SlabList list = {&me->runs, NULL};
    if (meta->where != PLACE_NONE) {
        slab_list_remove(list, runs.head.number);
        free_runs_remove_all(me, runs);
        me->run_superslabs--;
    }
    meta->where = (uint8_t)place;
    if (place == PLACE_NONE) return;
    slab_list_push(list, runs.head.number);
    free_runs_add_all(me, runs);
    me->run_superslabs++;
}

SlabNumber runs_fullest(const HakTcb* me, SlabNumber but) {
    enum { PROBES = 16 };
    SlabNumber fullest = 0;
    int probes = 0;
    for (SlabNumber s = me->runs; s && probes < PROBES; s = peek_own(s)->next, probes++)
        if (s != but && (fullest == 0 || meta_used(peek_own(s)) > meta_used(peek_own(fullest)))) fullest = s;
    return fullest;
}
