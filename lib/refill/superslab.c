#include "superslab/superslab.h"

#include "refill/give_back.h"
#include "refill/give_up.h"
#include "refill/stages.h"

// A huge page makes the whole of each slab resident, cut or not. That is worth it if most slabs are cut to their ends.
// Many threads with a few blocks of many sizes each use only a third of theirs. A sample decides, so the time does not
// depend on the size of the heap.
static bool slabs_are_used_up(void) {
    enum { SAMPLES = 64 };
    SlabNumber end = (SlabNumber)load_relaxed(&hak_heap.slabs), step = (end / SAMPLES) | 1;
    uint64_t carved = 0, room = 0;
    for (SlabNumber s = SLABS_PER_UNIT; s < end; s += step) {
        uint64_t bytes = slab_carved_bytes(s);
        carved += bytes;
        room += bytes ? SLAB_SIZE : 0;
    }
    return carved * 4 >= room * 3;
}

static SlabNumber take_or_make(bool* clean) {
    SlabNumber s = superslab_take_slab(clean);
    return s ? s : superslab_make(slabs_are_used_up(), clean);
}

// In the child of a fork, the slabs of TCBs that are LEFT come before new memory.
static OwnedSlab adopt_left(HakTcb* me, unsigned size_class) {
    OwnedSlab slab = {0};
    while (slab.number == 0 && give_back_left(1)) slab = refill_adopt(me, size_class);
    return slab;
}

OwnedSlab refill_superslab(HakTcb* me, unsigned size_class) {
    OwnedSlab left = adopt_left(me, size_class);
    if (left.number) return left;
    give_back_unused(me);
    bool clean = false;
    SlabNumber s = take_or_make(&clean);
    if (s == 0) {
        give_back_all(me);
        s = take_or_make(&clean);
    }
    if (s) return slab_create(me, s, size_class, clean);
    tcb_count(me, HAK_C_early_no_memory);
    return refill_tls_slab(me, size_class);  // giving back may have freed blocks for it
}
