#include "sample/door.h"

#include "thread/link.h"

_Atomic int32_t door_to_go;

void door_open(int32_t mallocs) {
    store_relaxed(&door_to_go, mallocs);
    link_stop_hits(false);
}

bool door_pass(void) {
    int32_t before = add_relaxed(&door_to_go, -1);
    if (before > 1) return false;
    link_let_hits();
    return before == 1;
}
