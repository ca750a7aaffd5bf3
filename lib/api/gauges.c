// What is in use now, counted from the tables; and the counters of all threads, added up.
#include "api/stats.h"
#include "sample/sample.h"
#include "slab/slab.h"
#include "superslab/free_slabs.h"
#include "superslab/heap.h"
#include "superslab/page_slots.h"
#include "superslab/superslab.h"
#include "superslab/units.h"
#include "thread/operation.h"
#include "thread/tcb.h"

static void add_unit(hak_stats_t* out, UnitNumber u) {
    const Unit* unit = &hak_heap.unit[u];
    SlabNumber first = first_slab(u);
    switch ((UnitKind)unit->kind) {
    case UNIT_SLABS:
        for (SlabNumber s = first; s < first + SLABS_PER_UNIT; s++) out->allocated += slab_used_bytes(s);
        out->active += (uint64_t)__builtin_popcount(~unit->free_slabs & ~unit->gap_slabs) << SLAB_SHIFT;
        break;
    case UNIT_RUNS:
        out->allocated += (uint64_t)meta_used(peek_any(first)) << PAGE_SHIFT;
        out->active += UNIT_SIZE;
        break;
    case UNIT_HUGE:
        out->allocated += unit->size;
        out->active += (uint64_t)unit->length << UNIT_SHIFT;
        break;
    case UNIT_NONE:
    case UNIT_LOST:
    case UNIT_CLOSED:
    case UNIT_FREE:
    case UNIT_HUGE_REST: break;
    }
}

void hak_gauges(hak_stats_t* out) {
    uint64_t counters[HAK_COUNTER_COUNT];
    hak_counters_sum(counters);
    out->threads = counters[HAK_C_thread_started] - counters[HAK_C_thread_ended];
    operation_watch_if_due();
    hak_lock(&heap_lock);
    out->allocated = out->active = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped; u++) add_unit(out, u);
    out->dirty = (unit_totals.dirty_units << UNIT_SHIFT) + ((uint64_t)free_slab_totals.dirty << SLAB_SHIFT);
    out->mapped = (uint64_t)heap_units() << UNIT_SHIFT;
    out->metadata = heap_table_bytes();
    out->superslabs = superslab_count;
    out->slabs = free_slab_totals.taken;
    hak_unlock(&heap_lock);
    SampleBytes sampled = sample_bytes();
    out->allocated += sampled.allocated;
    out->active += sampled.active;
    out->mapped += sampled.mapped;
    out->metadata += sampled.tables;
    uint64_t paged = page_open_bytes();
    out->allocated += paged;
    out->active += paged;
    out->mapped += paged;
}

// Overflows are counted for each class, and added to their counter OVERFLOWS_SAMPLE at a time.
static uint64_t counter_of(const HakTcb* tcb, HakCounter which) {
    uint64_t value = load_relaxed(&tcb->counters.value[which]);
    for (unsigned c = CLASS_FIRST; which == HAK_C_free_ss_local && c < CLASS_COUNT; c++)
        value += load_relaxed(&tcb->tiny[c].overflows) % OVERFLOWS_SAMPLE;
    return value;
}

void hak_counters_sum(uint64_t out[HAK_COUNTER_COUNT]) {
    for (int i = 0; i < HAK_COUNTER_COUNT; i++) out[i] = load_relaxed(&hak_counters_shared.value[i]);
    for (const HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all)
        for (int i = 0; i < HAK_COUNTER_COUNT; i++) out[i] += counter_of(tcb, (HakCounter)i);
}
