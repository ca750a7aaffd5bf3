#include "oracle/open.h"

#include "observe/steps.h"
#include "runtime/scheduler.h"
#include "runtime/steps.h"
#include "thread/tls.h"

static bool is_of_an_owner(unsigned step) {
    switch (step) {
    case HAK_STEP_LOCAL:
    case HAK_STEP_C1:
    case HAK_STEP_BIND:
    case HAK_STEP_SA:
    case HAK_STEP_GU:
    case HAK_STEP_TK:
    case HAK_STEP_DT:
    case HAK_STEP_D1:
    case HAK_STEP_MG:
    case HAK_STEP_TRIM:
    case HAK_STEP_EV:
    case HAK_STEP_A1:
    case HAK_STEP_A4:
    case HAK_STEP_F3:
    case HAK_STEP_L0:
    case HAK_STEP_RZ: return true;
    default: return false;
    }
}

// A thread without a TCB, and one that has ended, use the reserve TCB.
static void check_step(unsigned step) {
    const HakTcb* me = thread_tls()->tcb;
    if (!is_of_an_owner(step) || me == NULL || thread_tls()->ended || load_relaxed(&me->inside) == INSIDE) return;
    run_fault("operation", "thread %c takes step %s of an owner outside of an operation", 'A' + (int)current_thread,
              step_name(step));
}

void open_start(void) {
    step_check = check_step;
}
