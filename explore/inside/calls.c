#include "inside/calls.h"

#include "refill/give_back.h"
#include "slab/bundle.h"
#include "slab/own_runs.h"
#include "thread/operation.h"
#include "thread/tls.h"

void inside_flush(void) {
    HakTcb* me = operation_begin();
    if (me == NULL) return;
    bundles_flush(me);
    operation_end(me);
}

void inside_scan(void) {
    HakTcb* me = operation_begin();
    if (me == NULL) return;
    give_back_idle(me);
    operation_end(me);
}

bool inside_looks_for_runs(void) {
    return hak_tls.tcb != NULL && run_may_absorb(hak_tls.tcb);
}
