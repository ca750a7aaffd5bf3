#include "fault.h"

// Nothing precedes the first block of the first slab: no other block's canary, and no memory.
int main(void) {
    char* p = opaque(malloc(500));
    memset(opaque(p - 8), '?', 8);
    return not_noticed();
}
