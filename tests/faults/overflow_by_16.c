#include "fault.h"

int main(void) {
    char* p = opaque(malloc(96));
    memcpy(opaque(p + 96), "sixteen bytes !!", 16);
    free(opaque(p));
    go_on(96);
    return not_noticed();
}
