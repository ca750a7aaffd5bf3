#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 100 };

HAK_COLD void hak_lock_slow(HakLock* lock) {
    for (int i = 0; i < SPINS; i++) {
        if (load_relaxed(&lock->word) == 0 && hak_trylock(lock)) return;
        cpu_relax();
    }
    int saved_errno = errno;
    // From here on the word says 2: the holder will wake somebody, at worst once too often.
    while (exchange_acquire(&lock->word, 2u) != 0)  // pairs with the release in hak_unlock_slow
        syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
    errno = saved_errno;
}

HAK_COLD void hak_unlock_slow(HakLock* lock) {
    int saved_errno = errno;
    store_release(&lock->word, 0u);  // pairs with the acquires in hak_trylock and hak_lock_slow
    syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved_errno;
}
