#include "sample/door.h"

#include "thread/link.h"

_Atomic int32_t door_to_go;

void door_open(int32_t mallocs) {
    link_stop_hits(false);
    store_release(&door_to_go, mallocs);  // pairs with the fence in door_pass: who closes the door does so after this
}

bool door_pass(void) {
    int32_t before = add_relaxed(&door_to_go, -1);
    if (before > 1) return false;
    atomic_thread_fence(memory_order_acquire);
    link_let_hits();
    return before == 1;
}
