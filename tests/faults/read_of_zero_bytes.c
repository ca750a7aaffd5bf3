#include "fault.h"

int main(void) {
    char* p = opaque(malloc(0));
    int c = *(volatile char*)opaque(p);
    printf("read %d\n", c);
    free(p);
    return not_noticed();
}
