#include "front/locks.h"

#include "config/sources.h"
#include "front/process.h"
#include "refill/stages.h"
#include "sample/sample.h"
#include "slab/ownership.h"
#include "superslab/heap.h"
#include "superslab/page_slots.h"
#include "thread/operation.h"
#include "thread/tcb.h"

static void of_fork(LockStep step, unsigned fork) {
    step(&fork_lock, fork);
}

static void of_beginning(LockStep step, unsigned fork) {
    step(&init_lock, fork);
}

static void of_reserve(LockStep step, unsigned fork) {
    step(tcb_reserve_guard(), fork);
}

static void of_heap(LockStep step, unsigned fork) {
    step(&heap_lock, fork);
}

const LockGroup lock_groups[LOCK_GROUPS] = {
    {"fork", 0, false, of_fork},
    {"init", 1, false, of_beginning},
    {"reserve", 2, false, of_reserve},
    {"gate", 3, false, mmap_gate_locks},
    {"pool", 4, false, tcb_locks},
    {"registry", 5, true, registry_locks},
    {"heap", 6, false, of_heap},
    {"pages", 7, true, page_locks},
    {"options", LOCK_LEAF, false, hak_options_locks},
    {"sample", LOCK_LEAF, true, sample_locks},
};

void locks_of_ranks(uint32_t first, uint32_t last, LockStep step, unsigned fork) {
    for (unsigned i = 0; i < LOCK_GROUPS; i++)
        if (lock_groups[i].rank >= first && lock_groups[i].rank <= last) lock_groups[i].locks(step, fork);
}
