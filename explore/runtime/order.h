// The order of an atomic operation, as the run uses it: that of the source, or a weaker one.
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_ORDER_H
#define EXPLORE_RUNTIME_ORDER_H

#include <stdbool.h>
#include <stdint.h>

// What asks for another order; NULL: nothing does. step: the last named step of the thread, if no operation came since.
// p, bytes: the word; NULL: a fence.
extern int (*order_changed)(int order, unsigned step, const volatile void* p, unsigned bytes);

// Asks it. What it calls of the allocator meanwhile is no part of the run.
int order_ask(int order, unsigned step, const volatile void* p, unsigned bytes);

static inline int order_of(int order, unsigned step, const volatile void* p, unsigned bytes) {
    return __builtin_expect(order_changed == 0, 1) ? order : order_ask(order, step, p, bytes);
}

static inline bool order_acquires(int order) {
    return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
           order == __ATOMIC_SEQ_CST;
}

static inline bool order_releases(int order) {
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

#endif
