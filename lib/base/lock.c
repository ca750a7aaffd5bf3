#include "base/lock.h"

#include "base/fatal.h"
#include "base/wait.h"

enum { SPINS = HAK_EXPLORED ? 1 : 100 };

HAK_TLS char hak_lock_holder;

static unsigned fork_of(uint64_t word) {
    return (unsigned)(word >> LOCK_FORK_SHIFT) & LOCK_FORKS_MOST;
}

static HAK_COLD HAK_NORETURN void fail_reentered(void) {
    fatal("reentered", "lock", "a signal handler that had interrupted malloc or free called one of them");
}

// While the caller holds the lock, others change the word only to note that they wait.
static void change_own(HakLock* lock, uint64_t set, uint64_t clear) {
    uint64_t word = load_relaxed(&lock->word);
    while (!cas_acquire(&lock->word, &word, (word | set) & ~clear)) {}
}

// Takes the lock if it is free, and marks that somebody may wait. true: the caller has it.
static bool try_with_waiters(HakLock* lock, uint64_t word, uint64_t wanted) {
    return word == 0 && cas_acquire(&lock->word, &word,
                                    wanted | LOCK_WAITERS);  // pairs with the releases in hak_unlock, hak_unlock_slow
}

static void sleep_until_changed(HakLock* lock, uint64_t word) {
    if (word != 0 && ((word & LOCK_WAITERS) || cas_relaxed(&lock->word, &word, word | LOCK_WAITERS)))
        wait_while(&lock->word, word | LOCK_WAITERS);
}

static bool spin(HakLock* lock, uint64_t wanted) {
    for (int i = 0; i < SPINS; i++) {
        uint64_t free_word = 0;
        if (load_relaxed(&lock->word) == 0 && cas_acquire(&lock->word, &free_word, wanted)) return true;
        cpu_relax();
    }
    return false;
}

void (*_Atomic hak_lock_waits)(void);

static void wait_for(HakLock* lock, uint64_t wanted) {
    if (spin(lock, wanted)) return;
    for (;;) {
        hak_lock_tell_wait();
        uint64_t word = load_relaxed(&lock->word);
        if (try_with_waiters(lock, word, wanted)) return;
        sleep_until_changed(lock, word);
    }
}

HAK_COLD void hak_lock_slow(HakLock* lock) {
    if (HAK_UNLIKELY(hak_lock_is_mine(lock))) {
        uint64_t word = load_relaxed(&lock->word);
        if (fork_of(word) == 0 || (word & LOCK_BORROWED)) fail_reentered();
        change_own(lock, LOCK_BORROWED, 0);
        return;
    }
    wait_for(lock, hak_lock_self());
}

HAK_COLD void hak_unlock_slow(HakLock* lock) {
    if (load_relaxed(&lock->word) & LOCK_BORROWED) {
        change_own(lock, 0, LOCK_BORROWED);
        return;
    }
    store_release(&lock->word, 0u);  // pairs with the acquires in hak_trylock, spin, try_with_waiters
    wait_wake_one(&lock->word);
}

static uint64_t self_for(unsigned fork) {
    return hak_lock_self() | (uint64_t)fork << LOCK_FORK_SHIFT;
}

static bool try_for_a_moment(HakLock* lock, uint64_t wanted) {
    enum { TRIES = HAK_EXPLORED ? 1 : 500 };
    for (int i = 0; i < TRIES; i++) {
        if (spin(lock, wanted)) return true;
        wait_yield();
    }
    return false;
}

bool hak_lock_for_fork(HakLock* lock, unsigned fork) {
    return hak_lock_is_mine(lock) || try_for_a_moment(lock, self_for(fork));
}

bool hak_lock_is_of_fork(HakLock* lock, unsigned fork) {
    return hak_lock_is_mine(lock) && fork_of(load_relaxed(&lock->word)) == fork;
}

void hak_unlock_after_fork(HakLock* lock, unsigned fork) {
    if (!hak_lock_is_of_fork(lock, fork)) return;
    uint64_t held = self_for(fork);
    if (cas_release(&lock->word, &held, 0u)) return;  // pairs as in hak_unlock_slow
    store_release(&lock->word, 0u);                   // pairs as in hak_unlock_slow
    wait_wake_one(&lock->word);
}

void hak_lock_in_child(HakLock* lock, unsigned fork) {
    if (!hak_lock_is_mine(lock) || hak_lock_is_of_fork(lock, fork)) store_relaxed(&lock->word, 0u);
}
