// A lock of one word, for slow paths. It spins briefly, then sleeps in the kernel (futex). The word names its holder,
// so that a thread never waits for itself: a signal handler may fork while its thread holds locks.
//
//   63                            6 5        2     1          0
//   | holder: address in its TLS   | fork     | borrowed | waiters |         0: free
//
//   fork      0: an ordinary lock. n: held for a fork, the n-th of this thread now under way (a handler may fork
//             during a fork)
//   borrowed  its holder uses it in the middle of a fork, when what it guards is whole; the fork still holds it
//   waiters   somebody may sleep
//
// The holder's address stays the same in the child of a fork, and a thread that ends holds no lock.
// Zero is unlocked, so static and fresh memory need no initialisation.
// Source of the sleep: U. Drepper, "Futexes Are Tricky" (2011), mutex 2.
// Thread-safety: all functions.
// Errors: if a thread locks what it already holds, outside a fork, it reports that and aborts: a signal handler
// allocated in the middle of an operation.
#ifndef HAK_BASE_LOCK_H
#define HAK_BASE_LOCK_H

#include "base/atomic.h"

typedef struct {
    _Atomic uint64_t word;
} HakLock;

enum {
    LOCK_WAITERS = 1,
    LOCK_BORROWED = 2,
    LOCK_FORK_SHIFT = 2,
    LOCK_FORKS_MOST = 15,
    LOCK_NO_FORK = LOCK_FORKS_MOST + 1,
    LOCK_HOLDER_SHIFT = 6,
};

extern HAK_INTERNAL HAK_TLS char hak_lock_holder;  // only its address counts

// The value of the word while the caller holds the lock.
HAK_INLINE uint64_t hak_lock_self(void) {
    return (uint64_t)(uintptr_t)&hak_lock_holder << LOCK_HOLDER_SHIFT;
}

void hak_lock_slow(HakLock* lock);
void hak_unlock_slow(HakLock* lock);

HAK_INLINE bool hak_trylock(HakLock* lock) {
    uint64_t free_word = 0;
    return cas_acquire(&lock->word, &free_word, hak_lock_self());  // pairs with the release in hak_unlock
}

HAK_INLINE void hak_lock(HakLock* lock) {
    if (HAK_UNLIKELY(!hak_trylock(lock))) hak_lock_slow(lock);
}

HAK_INLINE void hak_unlock(HakLock* lock) {
    uint64_t held = hak_lock_self();
    // pairs with the acquires in hak_trylock, spin, try_with_waiters
    if (HAK_UNLIKELY(!cas_release(&lock->word, &held, 0u))) hak_unlock_slow(lock);
}

// Called before a thread waits long, for a lock or for another thread. It may free a lock whose holder does not exist
// in this process. NULL: none.
extern HAK_INTERNAL void (*_Atomic hak_lock_waits)(void);

HAK_INLINE void hak_lock_tell_wait(void) {
    void (*waits)(void) = load_relaxed(&hak_lock_waits);
    if (waits) waits();
}

// Whether another thread holds the lock.
HAK_INLINE bool hak_lock_is_others(HakLock* lock) {
    uint64_t word = load_relaxed(&lock->word);
    return word != 0 && word >> LOCK_HOLDER_SHIFT != hak_lock_self() >> LOCK_HOLDER_SHIFT;
}

// Whether the caller holds the lock, also for a fork.
HAK_INLINE bool hak_lock_is_mine(HakLock* lock) {
    return load_relaxed(&lock->word) >> LOCK_HOLDER_SHIFT == hak_lock_self() >> LOCK_HOLDER_SHIFT;
}

// --- around a fork: `fork` is its number among the caller's forks under way

// Takes the lock for the fork. A lock that the caller already holds stays as it is. Tries only for a moment, because
// the holder may wait for a lock that the caller holds. false: not taken.
bool hak_lock_for_fork(HakLock* lock, unsigned fork);
bool hak_lock_is_of_fork(HakLock* lock, unsigned fork);
// Releases the lock if this fork took it.
void hak_unlock_after_fork(HakLock* lock, unsigned fork);
// In the child: releases it likewise. Other holders and waiters do not exist there. LOCK_NO_FORK: no fork took any.
void hak_lock_in_child(HakLock* lock, unsigned fork);

#endif
