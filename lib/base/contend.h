// The counting build (HAK_COUNTING): how often each lock is taken and how long it is held, and how often each cache
// line is written by an atomic read-modify-write. For hakstress bench --contention. Nothing of it is in other builds.
// Thread-safety: all functions. Errors: lines beyond its room are left out.
#ifndef HAK_BASE_CONTEND_H
#define HAK_BASE_CONTEND_H

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdint.h>

#ifndef HAK_COUNTING
#define HAK_COUNTING 0
#endif

#if HAK_COUNTING
enum { CONTEND_ROOM = 1 << 16, CONTEND_SHIFT = 6 };

// Plain atomics, as those of base/atomic.h are counted.
typedef struct {
    _Atomic uintptr_t line;  // address >> CONTEND_SHIFT; 0: unused
    _Atomic uint64_t writes;
    _Atomic uintptr_t first;                 // stands for the thread that wrote first
    _Atomic uint64_t by_first;               // its writes
    _Atomic uint64_t taken, held_ns, since;  // of the lock in the line
} HAK_ALIGNED(HAK_CACHE_LINE) ContendLine;

extern HAK_INTERNAL ContendLine contend_lines[CONTEND_ROOM];

// A write to the line of this address.
HAK_INTERNAL void contend_write(const volatile void* at);
// The caller has taken this lock by hak_lock, or is about to release a lock.
HAK_INTERNAL void contend_taken(const void* lock);
HAK_INTERNAL void contend_released(const void* lock);
#else
HAK_INLINE void contend_taken(const void* lock) {
    (void)lock;
}
HAK_INLINE void contend_released(const void* lock) {
    (void)lock;
}
#endif

#endif
