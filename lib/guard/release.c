#include "guard/release.h"

#include "front/fastpath.h"
#include "guard/guard_bytes.h"
#include "guard/guard_faults.h"
#include "thread/operation.h"

static HAK_COLD void damaged_in_quarantine(const Quarantined* q) {
    GuardPlace place = guard_place(q->block);
    fault_poison("quarantine", &place, 0, q->bytes);
}

static void leave_quarantine(const Quarantined* q) {
    if (HAK_UNLIKELY(!guard_poison_is_whole(q->block, 0, q->bytes))) damaged_in_quarantine(q);
    guard_set_state(q->record, HAK_GUARD_FREE);
    fast_free(q->block);
}

static Quarantined take_from_quarantine(bool all) {
    HakTcb* me = operation_begin();
    if (me == NULL) return (Quarantined){NULL, NULL, 0};
    Quarantined oldest = quarantine_take(me, all);
    operation_end(me);
    return oldest;
}

bool guard_release_oldest(bool all) {
    bool some = false;
    for (Quarantined oldest; (oldest = take_from_quarantine(all)).block; some = true) leave_quarantine(&oldest);
    return some;
}
