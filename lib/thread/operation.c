#include "thread/operation.h"

#include "os/os.h"

HakLock fork_lock;

bool operation_may_begin(HakTcb* me) {
    enum { TRIES = HAK_EXPLORED ? 4 : 464 };
    if (load_relaxed(&me->inside) == INSIDE) return false;
    for (int i = 0; i < TRIES && load_relaxed(&me->inside) == ASKED; i++) os_wait(i);
    store_relaxed(&me->inside, OUTSIDE);
    return true;
}

bool operation_ask(HakTcb* other) {
    uint32_t seen = OUTSIDE;
    return cas_relaxed(&other->inside, &seen, ASKED) || seen == ASKED;
}

void operation_ask_no_more(HakTcb* other) {
    uint32_t seen = ASKED;
    cas_relaxed(&other->inside, &seen, OUTSIDE);
}
