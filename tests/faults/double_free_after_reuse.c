#include "fault.h"

int main(void) {
    void* p = opaque(malloc(100));
    free(p);
    void* q = opaque(malloc(100));  // may be the same block
    free(opaque(p));
    free(opaque(q));
    go_on(100);
    return not_noticed();
}
