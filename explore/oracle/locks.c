#include "oracle/locks.h"

#include "config/sources.h"
#include "front/process.h"
#include "refill/stages.h"
#include "sample/sample.h"
#include "slab/ownership.h"
#include "superslab/heap.h"
#include "thread/operation.h"

static bool some_held;

static void look(HakLock* lock, unsigned number) {
    (void)number;
    some_held |= load_relaxed(&lock->word) != 0;
}

bool locks_are_free(void) {
    some_held = false;
    look(&fork_lock, 0);
    look(&init_lock, 0);
    look(tcb_reserve_guard(), 0);
    mmap_gate_locks(look, 0);
    tcb_locks(look, 0);
    registry_locks(look, 0);
    look(&heap_lock, 0);
    hak_options_locks(look, 0);
    sample_locks(look, 0);
    return !some_held;
}
