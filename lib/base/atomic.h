// Atomics with the memory order in the name: a grep for `_release` lists every release edge.
// In the allocator, a comment at each release names the acquire that it pairs with.
// Thread-safety: all of it.
// Errors: none.
#ifndef HAK_BASE_ATOMIC_H
#define HAK_BASE_ATOMIC_H

#include "base/compiler.h"

#include <stdatomic.h>

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define store_seq_cst(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define exchange_acquire(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define exchange_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define or_relaxed(p, v) atomic_fetch_or_explicit((p), (v), memory_order_relaxed)

// Compare-and-swap. true: *p was *expected and is now v. false: *expected is now the value of *p.
// The order holds on success. A failure is relaxed, and the caller reads again.
#define cas_relaxed(p, expected, v) \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_relaxed, memory_order_relaxed)
#define cas_acquire(p, expected, v) \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acquire, memory_order_relaxed)
#define cas_release(p, expected, v) \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_release, memory_order_relaxed)
#define cas_acq_rel(p, expected, v) \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acq_rel, memory_order_relaxed)

// For a word with one writer and any number of readers: no read-modify-write instruction is needed.
#define bump_single_writer(p, v) store_relaxed((p), load_relaxed(p) + (v))

#if HAK_EXPLORED
void explored_spin(void);
#endif

HAK_INLINE void cpu_relax(void) {
#if HAK_EXPLORED
    explored_spin();
#elif defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");  // decision 0036: most take a yield for a nop
#endif
}

#endif
