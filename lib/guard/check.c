// hak_check tests the invariants that the headers state: of what the calling thread owns, of the registries, and of the
// unit structures that all threads share; in a process of one thread, of every slab. It leaves out what other threads
// own, because that does not stand still.
#include "base/fatal.h"
#include "base/text.h"
#include "config/changes.h"
#include "config/options.h"
#include "front/life.h"
#include "guard/check.h"
#include "guard/guard_mode.h"
#include "guard/live.h"
#include "guard/pages.h"
#include "guard/release.h"
#include "os/os.h"
#include "sample/sample.h"
#include "slab/free_runs.h"
#include "slab/hand_over.h"
#include "superslab/free_slabs.h"
#include "superslab/superslab.h"
#include "superslab/units.h"

#include <hakmem/hakmem.h>

static bool is_block_of(const void* block, unsigned size_class) {
    if (!heap_contains(block)) return false;
    SlabNumber s = (SlabNumber)slab_number_of(block);
    uintptr_t offset = (uintptr_t)block - (uintptr_t)slab_address(s);
    return word_tag(load_relaxed(&hak_heap.owner[s])) == tag_of_class(size_class) &&
           offset % size_of_class(size_class) == 0 && offset / size_of_class(size_class) < class_capacity(size_class);
}

// thread/bin.h: blocks in the list == cap - room, and every one is of the class.
static size_t check_bin(const TlsBin* bin, unsigned size_class) {
    int64_t listed = 0, expected = (int64_t)bin->cap - bin->room;
    for (void* block = bin_first(bin); block && listed <= expected; block = link_read(block), listed++) {
        if (is_block_of(block, size_class)) continue;
        text_warn("hakmem: check=tls_sll class %u: %p in the list is not a block of the class\n", size_class, block);
        return 1;
    }
    if (listed == expected) return 0;
    text_warn("hakmem: check=tls_sll class %u: %ld blocks in the list, cap - room is %ld\n", size_class, (long)listed,
              (long)expected);
    return 1;
}

// refill/parked.h
static size_t check_parked(const HakTcb* tcb) {
    size_t wrong = 0;
    uint32_t blocks = 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        wrong += check_bin(&tcb->parked[c], c);
        blocks += bin_blocks(&tcb->parked[c]);
    }
    if (blocks == tcb->parked_blocks) return wrong;
    text_warn("hakmem: check=parked thread %u: %u blocks in its parked bins, %u counted\n", tcb->number, blocks,
              tcb->parked_blocks);
    return wrong + 1;
}

static size_t check_still(SlabNumber s) {
    if (guard_on()) guard_check_slab(s);
    return slab_check_any(s);
}

static size_t check_own(HakTcb* me, SlabNumber s, uint64_t tag, SlabPlace place) {
    OwnedSlab slab = slab_if_mine(me, s, tag);
    if (slab.number && meta_of(slab)->where == place && !meta_of(slab)->in_registry) return check_still(s);
    text_warn("hakmem: check=owner slab %u is in a list of thread %u, which does not own it there\n", s, me->number);
    return 1;
}

static size_t check_full(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    size_t wrong = 0;
    uint32_t full = 0;
    bool free_blocks = false, linked = true;
    SlabNumber before = 0;
    for (SlabNumber s = tls->full; s; before = s, s = peek_own(s)->next, full++) {
        const TinySlabMeta* meta = peek_own(s);
        wrong += check_own(me, s, tag_of_class(size_class), PLACE_FULL);
        free_blocks |= meta_free(meta) || load_relaxed(&meta->carved) != meta->capacity;
        linked &= meta->prev == before;
    }
    linked &= before == (tls->full ? tls->full_last : 0);
    if (full == tls->full_count && full <= KEPT_FULL && !free_blocks && linked) return wrong;
    text_warn("hakmem: check=full class %u: %u full slabs in the list, %u counted, at most %d%s%s\n", size_class, full,
              tls->full_count, KEPT_FULL, free_blocks ? ", one with free blocks" : "",
              linked ? "" : ", not linked both ways");
    return wrong + 1;
}

static size_t check_partial(HakTcb* me, unsigned size_class) {
    const TinyTLSSlab* tls = &me->tiny[size_class];
    size_t wrong = 0;
    uint32_t partial = 0, partial_free = 0;
    bool linked = true, give = true;
    SlabNumber before = 0;
    for (SlabNumber s = tls->partial; s; before = s, s = peek_own(s)->next, partial++) {
        wrong += check_own(me, s, tag_of_class(size_class), PLACE_PARTIAL);
        partial_free += meta_free(peek_own(s));
        give &= slab_has_blocks(slab_if_mine(me, s, tag_of_class(size_class)));
        linked &= peek_own(s)->prev == before;
    }
    linked &= before == (tls->partial ? tls->partial_last : 0);
    if (partial == tls->partial_count && partial_free == tls->partial_free && linked && give) return wrong;
    text_warn("hakmem: check=partial class %u: %u slabs with %u free blocks in the list, %u with %u counted%s%s\n",
              size_class, partial, partial_free, tls->partial_count, tls->partial_free,
              linked ? "" : ", not linked both ways", give ? "" : ", one without a block");
    return wrong + 1;
}

// slab/places.h: the list of SuperSlabs of page runs.
static size_t check_run_list(HakTcb* me) {
    size_t wrong = 0;
    uint32_t count = 0;
    bool linked = true, has_next = me->next_absorbed == 0;
    SlabNumber before = 0;
    for (SlabNumber s = me->runs; s; before = s, s = peek_own(s)->next, count++) {
        wrong += check_own(me, s, TAG_RUNS, PLACE_PARTIAL);
        linked &= peek_own(s)->prev == before;
        has_next |= s == me->next_absorbed;
    }
    if (count == me->run_superslabs && linked && has_next) return wrong;
    text_warn("hakmem: check=run_list %u SuperSlabs of page runs in the list, %u counted%s%s\n", count,
              me->run_superslabs, linked ? "" : ", not linked both ways",
              has_next ? "" : ", without the one to be absorbed next");
    return wrong + 1;
}

// Whatever the thread owns is bound or in a list: no slab is forgotten.
static size_t check_all_placed(const HakTcb* me) {
    SlabNumber end = (SlabNumber)load_relaxed(&hak_heap.slabs);
    uint32_t owned = 0, placed = me->partial_slabs + me->run_superslabs;
    for (SlabNumber s = SLABS_PER_UNIT; s < end; s++)
        owned += word_owner(load_relaxed(&hak_heap.owner[s])) == (uint64_t)(uintptr_t)me;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++)
        placed += (me->tiny[c].bound ? 1u : 0u) + me->tiny[c].full_count;
    if (owned == placed || some_change_is_missing()) return 0;
    text_warn("hakmem: check=places thread %u owns %u slabs, and %u are in its lists\n", me->number, owned, placed);
    return 1;
}

static size_t check_lists(HakTcb* me) {
    size_t wrong = 0;
    uint32_t partial_slabs = 0;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        const TinyTLSSlab* tls = &me->tiny[c];
        if (tls->bound) wrong += check_own(me, tls->bound, tag_of_class(c), PLACE_BOUND);
        wrong += check_partial(me, c) + check_full(me, c);
        partial_slabs += tls->partial_count;
    }
    if (partial_slabs != me->partial_slabs) {
        text_warn("hakmem: check=partial %u partial slabs in the lists, %u counted\n", partial_slabs,
                  me->partial_slabs);
        wrong++;
    }
    return wrong + check_run_list(me) + free_runs_check(me) + check_all_placed(me);
}

// slab/run_cache.h: the counts are those of the cache's contents. At most one SuperSlab is idle, and it is noted.
static size_t check_run_cache(const HakTcb* me) {
    uint32_t cached_pages = 0, cached_of_slabs = 0, long_pages = 0, idle = 0;
    for (unsigned bin = 0; bin < RUN_CACHE_BINS; bin++) cached_pages += run_cache_pages(bin) * me->run_cache[bin].count;
    for (uint32_t i = 0; i < me->long_count; i++) long_pages += me->long_run[i].pages;
    for (SlabNumber s = me->runs; s; s = peek_own(s)->next) {
        cached_of_slabs += runs_cached(runs_own(me, s));
        idle += s != me->idle_runs && runs_is_idle(runs_own(me, s));
    }
    size_t wrong = 0;
    if (cached_pages != me->cached_pages || cached_of_slabs != cached_pages + long_pages ||
        long_pages != me->long_pages) {
        text_warn(
            "hakmem: check=run_cache %u pages in bins, %u counted; %u in long runs, %u counted; %u by SuperSlab\n",
            cached_pages, me->cached_pages, long_pages, me->long_pages, cached_of_slabs);
        wrong++;
    }
    if (idle) {
        text_warn("hakmem: check=run_cache %u SuperSlabs of page runs are idle, and not the one that is noted\n", idle);
        wrong++;
    }
    return wrong;
}

// Every block of a bundle is of its slab, and the last one is known.
static bool bundle_is_right(const RemoteBundle* bundle) {
    const void *block = bundle->first, *last = NULL;
    for (uint32_t i = 0; i < bundle->count; i++, block = link_read(block)) {
        if (block == NULL || slab_number_of(block) != bundle->slab) return false;
        last = block;
    }
    return bundle->count == 0 || (block == NULL && last == bundle->last);
}

// slab/bundle.h
static size_t check_bundles(const HakTcb* me) {
    uint32_t bundled = 0;
    bool right = true;
    for (int i = 0; i < BUNDLES; i++) {
        bundled += me->bundle[i].count;
        right &= bundle_is_right(&me->bundle[i]);
    }
    if (bundled == me->bundled && right) return 0;
    text_warn("hakmem: check=bundles %u blocks in bundles, %u counted%s\n", bundled, me->bundled,
              right ? "" : ", one in a wrong bundle");
    return 1;
}

// How many units there are of a kind.
static size_t check_kinds(const uint64_t* kinds, uint64_t moved) {
    uint64_t superslabs = kinds[UNIT_SLABS] + kinds[UNIT_RUNS];
    if (superslabs == superslab_count && kinds[UNIT_LOST] == unit_totals.lost_units &&
        kinds[UNIT_NONE] == hak_heap.gaps && moved == unit_totals.moved_units)
        return 0;
    text_warn("hakmem: check=units %lu SuperSlabs, %lu lost, %lu left out, %lu moved; %u, %lu, %u and %lu counted\n",
              (unsigned long)superslabs, (unsigned long)kinds[UNIT_LOST], (unsigned long)kinds[UNIT_NONE],
              (unsigned long)moved, superslab_count, (unsigned long)unit_totals.lost_units, hak_heap.gaps,
              (unsigned long)unit_totals.moved_units);
    return 1;
}

// superslab/units.h: the totals are the sums of the runs, and neighbours of one kind are joined. superslab/superslab.h:
// a free slab is not a slab.
static size_t check_units(void) {
    uint64_t dirty = 0, clean = 0, absent = 0, kinds[UNIT_CLOSED + 1] = {0}, moved = 0;
    size_t wrong = units_check() + free_slabs_check();
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        const Unit *unit = &hak_heap.unit[u], *before = &hak_heap.unit[u - 1];
        kinds[unit->kind]++;
        moved += unit->moved && unit->kind != UNIT_NONE;
        if (unit->kind == UNIT_FREE) {
            *(unit->absent ? &absent : unit->dirty ? &dirty : &clean) += 1;
            bool first = before->kind != UNIT_FREE || before->dirty != unit->dirty || before->absent != unit->absent;
            if (first && hak_heap.unit[u + unit->length - 1].length != unit->length) {
                text_warn("hakmem: check=units free run at unit %u: its ends disagree about its length\n", u);
                wrong++;
            }
        }
        for (uint32_t left = unit->kind == UNIT_SLABS ? unit->free_slabs : 0; left; left &= left - 1) {
            SlabNumber s = first_slab(u) + lowest_bit(left);
            if (load_relaxed(&hak_heap.owner[s]) == WORD_NOT_A_SLAB) continue;
            text_warn("hakmem: check=units slab %u is free and has an owner word\n", s);
            wrong++;
        }
    }
    wrong += check_kinds(kinds, moved);
    if (dirty == unit_totals.dirty_units && clean == unit_totals.clean_units && absent == hak_heap.absent) return wrong;
    text_warn("hakmem: check=units %lu dirty, %lu clean and %lu absent units are free, %lu, %lu and %u counted\n",
              (unsigned long)dirty, (unsigned long)clean, (unsigned long)absent, (unsigned long)unit_totals.dirty_units,
              (unsigned long)unit_totals.clean_units, hak_heap.absent);
    return wrong + 1;
}

// In a process of one thread a slab is that thread's or nobody's. In the child of a fork, it may also be that of a
// thread that does not exist there; such a slab may be half changed, and is not checked.
static size_t check_unowned(void) {
    size_t wrong = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) {
        SlabNumber first = first_slab(u), end = first + SLABS_PER_UNIT;
        if (hak_heap.unit[u].kind != UNIT_SLABS && hak_heap.unit[u].kind != UNIT_RUNS) continue;
        for (SlabNumber s = first; s < end; s++) {
            uint64_t word = load_relaxed(&hak_heap.owner[s]);
            if (tag_is_class(word) || word == TAG_RUNS) wrong += check_still(s);
        }
    }
    return wrong;
}

size_t hak_check(void) {
    size_t wrong = sample_check();
    HakTcb* me = operation_begin();
    if (me) {
        for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
            wrong += check_bin(&hak_tls.bin[c], c);
            if (counted_bin(c)) wrong += check_bin(counted_bin(c), c);
        }
        wrong += check_lists(me);
        wrong += check_run_cache(me) + check_bundles(me);
        operation_end(me);
    }
    wrong += tcb_check_parked(check_parked);
    for (unsigned c = 0; c < CLASS_COUNT; c++) wrong += registry_check(c, slab_check_any);
    hak_lock(&heap_lock);
    wrong += check_units();
    if (libc_single_threaded()) wrong += check_unowned();
    hak_unlock(&heap_lock);
    return wrong;
}

#if HAK_CHECKED
static void check_all(const char* site) {
    size_t wrong = hak_check();
    if (wrong)
        fatal("heap", site, "%zu invariants of the heap do not hold; the lines before this one name them", wrong);
}

// The next scan waits so long that scans take only a small part of the time.
void check_now_and_then(const HakTcb* me) {
    enum { EVERY = 64, PART = 32, PAUSE_MOST_NS = 500000000 };
    static _Atomic uint64_t next_scan;
    if (me->ticks % EVERY != 0) return;
    uint64_t start = os_clock_ns();
    if (start < load_relaxed(&next_scan)) return;
    check_all("guard");
    uint64_t end = os_clock_ns(), pause = (end - start) * PART;
    store_relaxed(&next_scan, end + (pause < PAUSE_MOST_NS ? pause : PAUSE_MOST_NS));
}

// Finds what the program did wrong until its end.
__attribute__((destructor)) static void check_at_exit(void) {
    if (!guard_on() || operation_is_open()) return;
    guard_release_oldest(true);
    if (pages_on()) pages_check_live("exit");
    check_all("exit");
}
#endif
