#include "api/end.h"

#include "front/life.h"
#include "guard/guard_mode.h"
#include "guard/release.h"
#include "observe/crash_note.h"
#include "observe/ring.h"
#include "observe/steps.h"
#include "refill/give_back.h"
#include "refill/give_up.h"
#include "refill/parked.h"
#include "slab/bundle.h"
#include "slab/own_runs.h"

#include <errno.h>

static void end_thread(void) {
    if (guard_on()) guard_release_oldest(true);
    HakTcb* me = operation_begin();
    if (me == NULL) return;
    give_back_idle(me);  // where all threads are short-lived, no later scan would come
    bundles_flush(me);
    run_cache_flush(me);
    bins_park(me);  // bins have no room from here on: nobody would give back blocks in them
    give_up_all(me);
    ring_record(HAK_EVENT_thread_exit, NULL, 0, me->number);
    hak_ring_thread_end();
    crash_note_thread_end();
    tcb_count(me, HAK_C_thread_ended);
    hak_tls.ended = 1;
    hak_tls.tcb = NULL;
    hak_tls.foreign = FOREIGN_ALL;
    STEP(E6);
    tcb_give(me);
}

// Destructors of other keys may allocate after ours, in this round or a later one. After ours has ended the thread,
// they use the reserve TCB. If the thread has allocated much, it began before its destructors, so this is their first
// round: then ours stays for another round, and they allocate as before. Otherwise the thread may have begun in a
// destructor, and this may be the last round: to stay would lose its TCB. A thread that begins in the last round, after
// ours, ends unnoticed.
void thread_end_round(bool first, uint32_t ticks) {
    enum { MUCH = 64 };  // refills
    int saved_errno = errno;
    if (first && hak_tls.tcb && hak_tls.tcb->ticks - ticks >= MUCH)
        thread_arm_end_again();
    else
        end_thread();
    errno = saved_errno;
}
