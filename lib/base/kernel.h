// Constants of the kernel's interface. Its headers (linux/*.h) are a package of their own, which cannot be used with
// every C library.
#ifndef HAK_BASE_KERNEL_H
#define HAK_BASE_KERNEL_H

enum {
    KERNEL_FUTEX_PRIVATE = 128,  // no other process waits on the word
    KERNEL_FUTEX_WAIT = 0 | KERNEL_FUTEX_PRIVATE,
    KERNEL_FUTEX_WAKE = 1 | KERNEL_FUTEX_PRIVATE,
    KERNEL_SECCOMP_STRICT = 1,  // prctl(PR_SET_SECCOMP): read, write, exit and sigreturn alone
};

#endif
