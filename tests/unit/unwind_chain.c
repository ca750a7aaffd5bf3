#include "unit/unwind_chain.h"

#include <stddef.h>
#include <string.h>

#define NOT_INLINED static __attribute__((noinline))
#define NO_TAIL_CALL __asm__ volatile("" : : : "memory")

#ifndef LOCAL_BYTES
#define LOCAL_BYTES 256
#endif

NOT_INLINED void recurse(ChainEnd* end, void* argument, unsigned depth) {
    if (depth > 0)
        recurse(end, argument, depth - 1);
    else
        end(argument);
    NO_TAIL_CALL;
}

NOT_INLINED void with_variable_stack(ChainEnd* end, void* argument, unsigned depth, size_t bytes) {
    char local[bytes];
    memset(local, 1, bytes);
    recurse(end, argument, depth);
    __asm__ volatile("" : : "r"(local) : "memory");
}

NOT_INLINED void with_aligned_stack(ChainEnd* end, void* argument, unsigned depth) {
    char local[256] __attribute__((aligned(128)));
    memset(local, (int)depth, sizeof local);
    with_variable_stack(end, argument, depth, 100 + depth % 300);
    __asm__ volatile("" : : "r"(local) : "memory");
}

__attribute__((visibility("default"))) void CHAIN(ChainEnd* end, void* argument, unsigned depth) {
    char local[LOCAL_BYTES];
    memset(local, (int)depth, sizeof local);
    with_aligned_stack(end, argument, depth);
    __asm__ volatile("" : : "r"(local) : "memory");
}
