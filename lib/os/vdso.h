// The kernel's own clock function, which it maps into each process: no system call, and no library can replace it.
// Source: Linux, Documentation/ABI/stable/vdso.
// Thread-safety: all functions.
// Errors: where the kernel maps no such function, the system call is made.
#ifndef HAK_OS_VDSO_H
#define HAK_OS_VDSO_H

#include "base/compiler.h"

#include <time.h>

// Finds the function. Calling it again does no harm. Until then the system call is made.
void vdso_start(void);
// As clock_gettime(); {0, 0} if there is no such clock.
struct timespec vdso_clock(clockid_t clock);

#endif
