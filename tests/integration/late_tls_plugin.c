// A library with much thread-local memory, which the C library makes with malloc for each thread that touches it.
#include <stddef.h>

enum { BIG = 300000 };
static __thread unsigned char big[BIG];
static __thread unsigned small = 77;

unsigned plugin_use(unsigned number);

// 0: the thread's memory is as it should be at its number-th use, counted from 0.
unsigned plugin_use(unsigned number) {
    unsigned wrong = small != 77 + number;
    small++;
    for (size_t i = 0; i < BIG; i += 999) wrong += big[i] != (unsigned char)number, big[i]++;
    return wrong;
}
