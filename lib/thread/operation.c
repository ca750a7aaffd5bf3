#include "thread/operation.h"

#include "base/fatal.h"
#include "os/os.h"

HakLock fork_lock;

_Atomic bool operation_copies_are_watched;

void operation_watch_copies(void) {
    os_watch_copies();
    // Also if the system cannot. It pairs with no acquire: a copy in which it is true has what was written before.
    store_release(&operation_copies_are_watched, true);
}

bool operation_may_begin(HakTcb* me) {
    enum { TRIES = HAK_EXPLORED ? 4 : 464 };
    operation_watch_if_due();
    if (load_relaxed(&me->inside) == INSIDE) return false;
    for (int i = 0; i < TRIES && load_relaxed(&me->inside) == ASKED; i++) os_wait(i);
    store_relaxed(&me->inside, OUTSIDE);
    return true;
}

void operation_is_not_open(const HakTcb* me, const char* site) {
    fatal("operation", site, "thread %u changes what it owns outside of an operation: its word says %s", me->number,
          load_relaxed(&me->inside) == ASKED ? "ASKED" : "OUTSIDE");
}

bool operation_ask(HakTcb* other) {
    uint32_t seen = OUTSIDE;
    return cas_relaxed(&other->inside, &seen, ASKED) || seen == ASKED;
}

void operation_ask_no_more(HakTcb* other) {
    uint32_t seen = ASKED;
    cas_relaxed(&other->inside, &seen, OUTSIDE);
}
