// The registers of a crash, for each architecture: which they are, and how they come into the record.
//
//   x86-64    as the kernel numbers them in a signal's context (REG_R8 and so on)
//   aarch64   x0 to x30, the stack pointer, the program counter, and the syndrome of the fault, if the kernel told it
//
// Thread-safety: pure functions. Errors: none.
#ifndef HAK_OBSERVE_CRASH_REGISTERS_H
#define HAK_OBSERVE_CRASH_REGISTERS_H

#include "stack/registers.h"

#include <stdint.h>
#include <ucontext.h>

#if defined(__x86_64__)
enum { CRASH_REGISTERS = 23, CRASH_SP = REG_RSP, CRASH_PC = REG_RIP };
#else
enum { CRASH_LINK = 30, CRASH_SP, CRASH_PC, CRASH_SYNDROME, CRASH_REGISTERS };
#endif

static inline void crash_registers_of_context(uint64_t* out, const ucontext_t* context) {
#if defined(__x86_64__)
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) out[i] = (uint64_t)context->uc_mcontext.gregs[i];
#else
    for (unsigned i = 0; i <= CRASH_LINK; i++) out[i] = context->uc_mcontext.regs[i];
    out[CRASH_SP] = context->uc_mcontext.sp;
    out[CRASH_PC] = context->uc_mcontext.pc;
    out[CRASH_SYNDROME] = fault_syndrome(context);
#endif
}

#endif
