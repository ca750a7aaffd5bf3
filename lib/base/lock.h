// A lock of one word for slow paths: spins briefly, then sleeps in the kernel (futex).
// Zero is unlocked, so static and fresh memory need no initialisation, and a forked child may reset one by storing zero.
// Errors: none. Not recursive. Source of the three-state scheme: U. Drepper, "Futexes Are Tricky" (2011), mutex 2.
#ifndef HAK_BASE_LOCK_H
#define HAK_BASE_LOCK_H

#include "base/atomic.h"

typedef struct {
    _Atomic uint32_t word;  // 0 free, 1 held, 2 held and somebody sleeps
} HakLock;

void hak_lock_slow(HakLock* lock);
void hak_unlock_slow(HakLock* lock);

HAK_INLINE bool hak_trylock(HakLock* lock) {
    uint32_t free_word = 0;
    return cas_acquire(&lock->word, &free_word, 1u);  // pairs with the release in hak_unlock
}

HAK_INLINE void hak_lock(HakLock* lock) {
    if (HAK_UNLIKELY(!hak_trylock(lock))) hak_lock_slow(lock);
}

HAK_INLINE void hak_unlock(HakLock* lock) {
    uint32_t held = 1;
    // pairs with the acquire in hak_trylock and hak_lock_slow
    if (HAK_UNLIKELY(!cas_release(&lock->word, &held, 0u))) hak_unlock_slow(lock);
}

// In the child of a fork: whoever held or awaited the lock does not exist there.
HAK_INLINE void hak_lock_reset(HakLock* lock) {
    store_relaxed(&lock->word, 0u);
}

#endif
