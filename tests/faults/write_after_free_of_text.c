#include "fault.h"

int main(void) {
    char* p = opaque(malloc(64));
    free(p);
    memcpy(opaque(p), "ab", 2);  // over the link of the free block
    go_on(64);
    return not_noticed();
}
