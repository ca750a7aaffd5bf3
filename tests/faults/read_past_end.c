#include "fault.h"

int main(void) {
    const size_t count = 10;
    long* p = opaque(calloc(count, sizeof *p));
    long sum = 0;
    for (size_t i = 0; i <= count; i++) sum += *(volatile long*)opaque(p + i);
    printf("%ld\n", sum);
    free(p);
    return not_noticed();
}
