#include "fault.h"

int main(void) {
    char *before = opaque(malloc(96)), *p = opaque(malloc(96));
    if (p < before) p = before;  // the one with a neighbour below
    memset(opaque(p - 8), '?', 8);
    free(opaque(p));
    go_on(96);
    return not_noticed();
}
