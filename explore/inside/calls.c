#include "inside/calls.h"

#include "refill/give_back.h"
#include "slab/bundle.h"
#include "thread/operation.h"

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
