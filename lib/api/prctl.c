// prctl of the checked library. A thread may give up the right to read the time-stamp counter, or all system calls but
// four: after that it must not use the debug ring's clock, and walks of stacks make no system call.
// Thread-safety: as prctl.
// Errors: those of the kernel.
#include "base/compiler.h"
#include "base/kernel.h"
#include "base/syscall.h"
#include "guard/pages.h"
#include "observe/ring.h"
#include "os/os.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>

#if HAK_CHECKED
static bool forbids_calls(int option, unsigned long value) {
    return option == PR_SET_SECCOMP && value == KERNEL_SECCOMP_STRICT;
}

static bool forbids_the_counter(int option, unsigned long value) {
    return (option == PR_SET_TSC && value == PR_TSC_SIGSEGV) || forbids_calls(option, value);
}

HAK_PUBLIC int prctl(int option, ...) {
    unsigned long values[4];
    va_list list;
    va_start(list, option);
    for (unsigned i = 0; i < 4; i++) values[i] = va_arg(list, unsigned long);
    va_end(list);
    if (forbids_calls(option, values[0])) os_forbid_calls();
    if (forbids_the_counter(option, values[0])) hak_ring_clock_stop();
    if (option == PR_SET_SECCOMP && values[0] == KERNEL_SECCOMP_STRICT) pages_stop();
    long result = sys_call6(SYS_prctl, option, (long)values[0], (long)values[1], (long)values[2], (long)values[3], 0);
    if (!sys_failed(result)) return (int)result;
    errno = (int)-result;
    return -1;
}
#endif
