#include "fault.h"

int main(void) {
    char* p = opaque(malloc(100));
    free(opaque(p + 8));
    go_on(100);
    return not_noticed();
}
