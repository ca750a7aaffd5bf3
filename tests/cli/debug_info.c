// Crashes at a place that only debug information can name: in store(), which the compiler inlines into its callers.
// With an argument, a second inlined function is between.
#include <stdlib.h>

static inline __attribute__((always_inline)) void store(volatile int* place) {
    *place = 1;  // the crash
}

static inline __attribute__((always_inline)) void store_two(volatile int* place) {
    store(place);  // the inner call
    place[1] = 0;
}

__attribute__((noinline)) void write_to(volatile int* one, volatile int* two);
__attribute__((noinline)) void write_to(volatile int* one, volatile int* two) {
    store_two(two);  // the nested call
    store(one);      // the plain call
}

// Other names of the same function, as in the C library: reports show the one that programs use.
void __internal_write_to(volatile int* one, volatile int* two) __attribute__((alias("write_to")));
static void write_to_alias(volatile int* one, volatile int* two) __attribute__((alias("write_to"), used));

int main(int argc, char** argv) {
    (void)argv;
    volatile int* block = malloc(2 * sizeof *block);
    volatile int* wrong = block - (unsigned long)block / sizeof *block + 2;  // address 8
    if (argc > 1)
        write_to(block, wrong);
    else
        write_to(wrong, block);
    return 0;
}
