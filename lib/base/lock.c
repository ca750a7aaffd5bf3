#include "base/lock.h"

#include "base/syscall.h"

#include <linux/futex.h>

enum { SPINS = 100 };

HAK_COLD void hak_lock_slow(HakLock* lock) {
    for (int i = 0; i < SPINS; i++) {
        if (load_relaxed(&lock->word) == 0 && hak_trylock(lock)) return;
        cpu_relax();
    }
    // From here on the word says 2: the holder will wake somebody, at worst once too often.
    while (exchange_acquire(&lock->word, 2u) != 0)  // pairs with the release in hak_unlock_slow
        sys_call4(SYS_futex, (long)&lock->word, FUTEX_WAIT_PRIVATE, 2, 0);
}

HAK_COLD void hak_unlock_slow(HakLock* lock) {
    store_release(&lock->word, 0u);  // pairs with the acquires in hak_trylock and hak_lock_slow
    sys_call4(SYS_futex, (long)&lock->word, FUTEX_WAKE_PRIVATE, 1, 0);
}
