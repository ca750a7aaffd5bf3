#include "fault.h"

int main(void) {
    void* p = opaque(malloc(64 << 20));
    free(p);
    free(opaque(p));
    return not_noticed();
}
