#include "fault.h"

int main(void) {
    uint64_t* p = opaque(malloc(64));
    free(p);
    *(volatile uint64_t*)opaque(p) = UINT64_C(0x4847464544434241);  // not an address of any memory
    go_on(64);
    return not_noticed();
}
