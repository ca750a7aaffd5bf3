#include "thread/operation.h"

#include "os/os.h"

HakLock fork_lock;

bool operation_may_begin(HakTcb* me) {
    enum { YIELDS = 64, SLEEPS = 400 };
    if (load_relaxed(&me->inside) == INSIDE) return false;
    for (int i = 0; i < YIELDS + SLEEPS && load_relaxed(&me->inside) == ASKED; i++) {
        if (i < YIELDS)
            os_yield();
        else
            os_sleep_briefly();
    }
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
