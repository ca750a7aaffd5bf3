// System calls without the C library: no library can stand in front of them, they are no cancellation points, and errno
// keeps its value. They are in this folder because locks and messages need them; the calls for memory are in os/ alone.
// Thread-safety: all functions.
// Errors: a failure is the negated error number.
#ifndef HAK_BASE_SYSCALL_H
#define HAK_BASE_SYSCALL_H

#include "base/compiler.h"

#include <sys/syscall.h>

HAK_INLINE long sys_call6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "no system calls for this architecture yet"
#endif
}

HAK_INLINE long sys_call4(long number, long a, long b, long c, long d) {
    return sys_call6(number, a, b, c, d, 0, 0);
}

HAK_INLINE long sys_call3(long number, long a, long b, long c) {
    return sys_call6(number, a, b, c, 0, 0, 0);
}

HAK_INLINE bool sys_failed(long result) {
    return (unsigned long)result > -4096UL;
}

#endif
