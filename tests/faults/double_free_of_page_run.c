#include "fault.h"

int main(void) {
    void* p = opaque(malloc(100000));
    free(p);
    free(opaque(p));
    go_on(100000);
    return not_noticed();
}
