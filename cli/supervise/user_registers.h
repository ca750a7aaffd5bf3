// Where the registers that ptrace and core dumps tell have the stack pointer and the program counter.
// Thread-safety: pure functions. Errors: none.
#ifndef HAKSTRESS_USER_REGISTERS_H
#define HAKSTRESS_USER_REGISTERS_H

#include <stdint.h>
#include <sys/user.h>

static inline uint64_t user_stack_pointer(const struct user_regs_struct* registers) {
#if defined(__x86_64__)
    return registers->rsp;
#else
    return registers->sp;
#endif
}

static inline uint64_t user_program_counter(const struct user_regs_struct* registers) {
#if defined(__x86_64__)
    return registers->rip;
#else
    return registers->pc;
#endif
}

#endif
