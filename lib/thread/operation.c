#include "thread/operation.h"

#include "os/os.h"

HakLock fork_lock;

void operation_give_way(HakTcb* me) {
    enum { YIELDS = 64, SLEEPS = 400 };
    if (hak_lock_is_mine(&fork_lock)) return;
    store_release(&me->inside, 0u);
    for (int i = 0; i < YIELDS + SLEEPS && load_relaxed(&fork_lock.word) != 0; i++) {
        if (i < YIELDS)
            os_yield();
        else
            os_sleep_briefly();
    }
    store_relaxed(&me->inside, 1u);
    atomic_thread_fence(memory_order_release);
}
