#include "base/wait.h"

#include "base/kernel.h"
#include "base/syscall.h"

#include <time.h>

// The kernel compares only the lower half of the word. That is enough: a thread that wakes up reads the whole word.
// The sleep has a limit: a signal handler may copy the process here, and in the copy nobody wakes the thread.
void wait_while(_Atomic uint64_t* word, uint64_t value) {
    struct timespec most = {.tv_nsec = 50000000};
    sys_call4(SYS_futex, (long)word, KERNEL_FUTEX_WAIT, (long)(uint32_t)value, (long)&most);
}

void wait_wake_one(_Atomic uint64_t* word) {
    sys_call4(SYS_futex, (long)word, KERNEL_FUTEX_WAKE, 1, 0);
}

void wait_yield(void) {
    sys_call3(SYS_sched_yield, 0, 0, 0);
}
