#include "fault.h"

int main(void) {
    char* p = memset(opaque(malloc(300000)), 1, 300000);
    free(p);
    int sum = *(volatile char*)opaque(p + 100000);
    printf("read %d\n", sum);
    return not_noticed();
}
