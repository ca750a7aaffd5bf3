#include "guard/release.h"

#include "front/fastpath.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "guard/live.h"
#include "guard/nothing.h"
#include "os/os.h"
#include "superslab/closed.h"
#include "thread/operation.h"

static HAK_COLD void damaged_in_quarantine(const Quarantined* q) {
    GuardPlace place = guard_place(q->block);
    fault_poison("quarantine", &place, 0, q->bytes);
}

// In the child of a fork, the thread that looks may not exist.
static void wait_until_nobody_looks(const void* block) {
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES && guard_is_looked_at(block); i++) os_wait(i);
}

void guard_give_to_allocator(const Quarantined* q) {
    bool open = !q->closed || run_open(q->block, (uint32_t)(q->bytes >> PAGE_SHIFT));
    if (!open) return;  // the system has no memory for that: the block is lost
    guard_set_state(q->record, HAK_GUARD_FREE);
    wait_until_nobody_looks(q->block);
    if (!is_nothing(q->block)) fast_free(q->block);
}

static void leave_quarantine(const Quarantined* q) {
    if (HAK_UNLIKELY(!q->closed && !guard_poison_is_whole(q->block, 0, q->bytes))) damaged_in_quarantine(q);
    guard_give_to_allocator(q);
}

static Quarantined take_from_quarantine(bool all) {
    HakTcb* me = operation_begin();
    if (me == NULL) return (Quarantined){0};
    Quarantined oldest = quarantine_take(me, all);
    operation_end(me);
    return oldest;
}

bool guard_release_oldest(bool all) {
    bool some = false;
    for (Quarantined oldest; (oldest = take_from_quarantine(all)).block; some = true) leave_quarantine(&oldest);
    return some;
}
