#include "fault.h"

int main(void) {
    char* p = opaque(malloc(0));
    *(volatile char*)opaque(p) = 'x';
    return not_noticed();
}
