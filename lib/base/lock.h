// A lock of one word for slow paths: spins briefly, then sleeps in the kernel (futex). The word names its holder, so that a thread
// never waits for itself: a signal handler may fork while its thread holds locks.
//
//   63                            6 5        2     1          0
//   | holder: address in its TLS   | fork     | borrowed | waiters |         0: free
//
//   fork      0: held as usual. n: a fork holds it, the n-th of this thread that is going on (a handler may fork during a fork)
//   borrowed  its holder uses it in the middle of a fork: what it guards is whole then, and the fork goes on holding it
//   waiters   somebody may sleep
//
// The holder's address stays the same in the child of a fork, and a thread that ends holds nothing.
// Zero is unlocked, so static and fresh memory need no initialisation.
// Errors: a thread that locks what it holds already, and not for a fork, says so and aborts: a signal handler allocates in the
// middle of an operation. Source of the sleep: U. Drepper, "Futexes Are Tricky" (2011), mutex 2.
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

// How a word says that the caller holds the lock.
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
    // pairs with the acquire in hak_trylock and hak_lock_slow
    if (HAK_UNLIKELY(!cas_release(&lock->word, &held, 0u))) hak_unlock_slow(lock);
}

// Called before a thread waits for long, for a lock or for what another thread is about to do: it may free a lock whose holder does not
// exist. NULL: none.
extern HAK_INTERNAL void (*_Atomic hak_lock_waits)(void);

HAK_INLINE void hak_lock_tell_wait(void) {
    void (*waits)(void) = load_relaxed(&hak_lock_waits);
    if (waits) waits();
}

// Whether another thread holds it.
HAK_INLINE bool hak_lock_is_others(HakLock* lock) {
    uint64_t word = load_relaxed(&lock->word);
    return word != 0 && word >> LOCK_HOLDER_SHIFT != hak_lock_self() >> LOCK_HOLDER_SHIFT;
}

// Whether the caller holds it, also for a fork.
HAK_INLINE bool hak_lock_is_mine(HakLock* lock) {
    return load_relaxed(&lock->word) >> LOCK_HOLDER_SHIFT == hak_lock_self() >> LOCK_HOLDER_SHIFT;
}

// --- around a fork, the `fork`-th of the caller that is going on

// Takes the lock for the fork; one that the caller holds already is left as it is. Waits a moment only, since its holder may wait for
// what the caller holds. false: it could not be had.
bool hak_lock_for_fork(HakLock* lock, unsigned fork);
bool hak_lock_is_of_fork(HakLock* lock, unsigned fork);
// Gives it back, if this fork took it.
void hak_unlock_after_fork(HakLock* lock, unsigned fork);
// In the child: the same, and whoever else held or awaited it does not exist. LOCK_NO_FORK: no fork took any.
void hak_lock_in_child(HakLock* lock, unsigned fork);

#endif
