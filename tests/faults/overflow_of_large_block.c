#include "fault.h"

int main(void) {
    char *before = opaque(malloc(262144)), *p = opaque(malloc(262144)), *behind = opaque(malloc(262144));
    *(volatile char*)opaque(p + 262144) = 'x';
    free(before);
    free(p);
    free(behind);
    return not_noticed();
}
