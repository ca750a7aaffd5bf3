#include "fault.h"

int main(void) {
    void* p = opaque(malloc(100));
    free(p);
    p = realloc(opaque(p), 200);
    free(opaque(p));
    go_on(100);
    return not_noticed();
}
