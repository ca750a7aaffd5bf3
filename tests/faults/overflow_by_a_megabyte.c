#include "fault.h"

int main(void) {
    char* p = opaque(malloc(100));
    *(volatile char*)opaque(p + 99 + (1 << 20)) = 'x';
    return not_noticed();
}
