// A library in front of the C library's functions for descriptors. Each allocates, as such libraries do, and reports
// that it was called. The program that loads it calls none of them.
#include <stdlib.h>
#include <sys/syscall.h>

enum { OUT = 1 };

static long report(const char* name, size_t length) {
    free(malloc(length));
    char line[32];
    for (size_t i = 0; i < length; i++) line[i] = name[i];
    line[length] = '\n';
    long result, number = SYS_write, out = OUT, bytes = (long)length + 1;
#if defined(__x86_64__)
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(out), "S"(line), "d"(bytes) : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = out;
    register long x1 __asm__("x1") = (long)line;
    register long x2 __asm__("x2") = bytes;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    result = x0;
#endif
    return result < 0 ? result : -1;
}

#define SHIM(name)                              \
    long name(void);                            \
    long name(void) {                           \
        return report(#name, sizeof #name - 1); \
    }
// clang-format off
SHIM(open) SHIM(open64) SHIM(openat) SHIM(openat64) SHIM(creat) SHIM(close) SHIM(dup) SHIM(dup2) SHIM(dup3)
SHIM(fcntl) SHIM(fcntl64) SHIM(ioctl) SHIM(isatty) SHIM(tcgetattr)
SHIM(fstat) SHIM(fstat64) SHIM(stat) SHIM(stat64) SHIM(fstatat) SHIM(fstatat64) SHIM(__fxstat) SHIM(__fxstat64)
SHIM(statx)
SHIM(write) SHIM(writev) SHIM(dprintf) SHIM(syscall) SHIM(getrlimit) SHIM(getrlimit64) SHIM(prlimit) SHIM(prlimit64)
SHIM(sigprocmask) SHIM(pthread_sigmask) SHIM(sigpending) SHIM(sigtimedwait) SHIM(getpid) SHIM(gnu_dev_makedev)
