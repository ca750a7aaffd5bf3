#include "fault.h"

static void* free_it(void* p) {
    free(opaque(p));
    return NULL;
}

int main(void) {
    void* p = opaque(malloc(100));
    in_another_thread(free_it, p);
    free(opaque(p));
    go_on(100);
    return not_noticed();
}
