#include "fault.h"

int main(void) {
    char* p = opaque(malloc(100));
    p[100] = '!';
    free(opaque(p));
    go_on(100);
    return not_noticed();
}
