#include "fault.h"

int main(void) {
    char* p = memset(opaque(malloc(5000000)), 1, 5000000);
    free(p);
    int sum = *(volatile char*)opaque(p);
    printf("read %d\n", sum);
    return not_noticed();
}
