#include "slab/run_cache.h"

#include <string.h>

#define BIN(index, length, most) \
    { (index) * sizeof(RunCache), (length), (most) }
#define WHOLE(index, length) BIN(index, length, RUN_CACHE_PAGES_EACH / (length))
#define PART(index, length) BIN(index, length, 0)
const RunBin hak_run_bins[RUN_SHORT_MOST + 1] = {
    PART(0, 5),   PART(0, 5),  PART(0, 5),   PART(0, 5),  PART(0, 5),   WHOLE(0, 5),
    WHOLE(1, 6),  WHOLE(2, 7), WHOLE(3, 8),  PART(4, 10), WHOLE(4, 10), PART(5, 12),
    WHOLE(5, 12), PART(6, 14), WHOLE(6, 14), PART(7, 16), WHOLE(7, 16),
};
_Static_assert(RUN_CACHE_PAGES_EACH / RUN_SHORT_LEAST <= RUN_CACHE_BLOCKS, "a bin has room");

// Takes long run i out of the cache.
static void* take_long(HakTcb* me, uint32_t i) {
    LongRun run = me->long_run[i];
    me->long_count--;
    memmove(&me->long_run[i], &me->long_run[i + 1], (me->long_count - i) * sizeof run);
    run_set_cached(&me->long_pages, run_entry(runs_own(me, run_first_slab(run.block)), run.block), run.pages, false);
    return run.block;
}

void* run_cache_take_long(HakTcb* me, uint32_t pages) {
    for (uint32_t i = me->long_count; i-- > 0;)
        if (me->long_run[i].pages == pages) return take_long(me, i);
    return NULL;
}

void* run_cache_take_oldest_long(HakTcb* me) {
    return me->long_count ? take_long(me, 0) : NULL;
}

void run_cache_put_long(HakTcb* me, OwnedRuns runs, void* block, uint32_t pages) {
    me->long_run[me->long_count++] = (LongRun){block, pages};
    run_set_cached(&me->long_pages, run_entry(runs, block), pages, true);
}

void* run_cache_take_any_short(HakTcb* me) {
    for (unsigned bin = 0; bin < RUN_CACHE_BINS; bin++) {
        void* block = run_cache_take_short(me, hak_run_bins[run_cache_pages(bin)]);
        if (block) return block;
    }
    return NULL;
}

static void drop_bin(HakTcb* me, OwnedRuns runs, unsigned bin) {
    RunCache* cache = &me->run_cache[bin];
    uint32_t pages = run_cache_pages(bin), kept = 0;
    for (uint32_t i = 0; i < cache->count; i++) {
        void* block = cache->block[i];
        if (run_first_slab(block) == runs.head.number) {
            run_set_cached(&me->cached_pages, run_entry(runs, block), pages, false);
            runs_free(me, runs, block);
        } else
            cache->block[kept++] = block;
    }
    cache->count = kept;
}

void run_cache_drop(HakTcb* me, OwnedRuns runs) {
    for (unsigned bin = 0; bin < RUN_CACHE_BINS && runs_cached(runs); bin++) drop_bin(me, runs, bin);
    for (uint32_t i = me->long_count; i-- > 0;)
        if (run_first_slab(me->long_run[i].block) == runs.head.number) runs_free(me, runs, take_long(me, i));
}
