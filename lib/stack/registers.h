// What a walk knows of a frame, and how each architecture numbers it in unwind tables.
// Thread-safety: pure functions.
// Errors: none.
#ifndef HAK_STACK_REGISTERS_H
#define HAK_STACK_REGISTERS_H

#include "base/compiler.h"

#include <string.h>
#include <ucontext.h>

typedef struct {
    uintptr_t pc;
    uintptr_t sp;    // 0: unknown
    uintptr_t fp;    // the frame pointer's register, whatever the code keeps in it
    uintptr_t link;  // the return address, where a call leaves it in a register; else 0
    bool exact;      // pc is an instruction that was interrupted; else a return address, just behind a call
} Registers;

#if defined(__x86_64__)

// DWARF_RETURN: the return address. DWARF_HERE: the address of the code itself, in expressions.
enum { DWARF_FP = 6, DWARF_SP = 7, DWARF_RETURN = 16, DWARF_HERE = 16 };
enum { CALL_PUSHES = 8 };  // bytes: the return address

HAK_INLINE Registers registers_of_context(const void* context) {
    const greg_t* of = ((const ucontext_t*)context)->uc_mcontext.gregs;
    return (Registers){(uintptr_t)of[REG_RIP], (uintptr_t)of[REG_RSP], (uintptr_t)of[REG_RBP], 0, true};
}

// `frame` holds the caller's frame pointer and the return address; the stack of the caller begins behind them.
HAK_INLINE Registers registers_of_caller(const void* frame, uintptr_t pc) {
    const uintptr_t* words = frame;
    return (Registers){pc, (uintptr_t)(words + 2), words[0], 0, false};
}

#elif defined(__aarch64__)

enum { DWARF_FP = 29, DWARF_SP = 31, DWARF_RETURN = 30, DWARF_HERE = 32 };
enum { CALL_PUSHES = 0 };

HAK_INLINE Registers registers_of_context(const void* context) {
    const mcontext_t* of = &((const ucontext_t*)context)->uc_mcontext;
    return (Registers){of->pc, of->sp, of->regs[DWARF_FP], of->regs[DWARF_RETURN], true};
}

// The syndrome of the fault of a signal's context (ESR_EL1); 0: the kernel did not tell it. The context ends with
// records, each with its type and its length in bytes, and a record of length 0.
HAK_INLINE uint64_t fault_syndrome(const void* context) {
    enum { ESR_RECORD = 0x45535201, HEAD = 8 };
    const mcontext_t* of = &((const ucontext_t*)context)->uc_mcontext;
    for (size_t at = 0; at + HEAD + sizeof(uint64_t) <= sizeof of->__reserved;) {
        uint32_t head[2];
        uint64_t syndrome;
        memcpy(head, of->__reserved + at, sizeof head);
        memcpy(&syndrome, of->__reserved + at + HEAD, sizeof syndrome);
        if (head[0] == ESR_RECORD) return syndrome;
        if (head[1] < HEAD) break;
        at += head[1];
    }
    return 0;
}

// What the access was that has a syndrome. A class of faults comes from programs and from the kernel itself.
typedef enum { SYNDROME_UNKNOWN, SYNDROME_READ, SYNDROME_WRITE, SYNDROME_EXECUTE } SyndromeAccess;
HAK_INLINE SyndromeAccess syndrome_access(uint64_t syndrome) {
    enum { CLASS_SHIFT = 26, CODE_ABORT = 0x20, DATA_ABORT = 0x24, WRITES = 1 << 6 };
    uint64_t kind = syndrome >> CLASS_SHIFT & 0x3e;
    if (kind == CODE_ABORT) return SYNDROME_EXECUTE;
    return kind != DATA_ABORT ? SYNDROME_UNKNOWN : syndrome & WRITES ? SYNDROME_WRITE : SYNDROME_READ;
}

// Of this very instruction, in a function that calls others.
HAK_INLINE Registers registers_here(void) {
    Registers here = {.exact = true};
    __asm__ volatile("adr %0, .\n\tmov %1, sp\n\tmov %2, x29" : "=r"(here.pc), "=r"(here.sp), "=r"(here.fp));
    return here;
}

// What a signal's handler returns to, where the kernel has no code of its own for that: rt_sigreturn. Above it on the
// stack are what is known of the signal, and the context.
enum { SIGNAL_RETURN_FIRST = (int)0xd2801168, SIGNAL_RETURN_SECOND = (int)0xd4000001, CONTEXT_AT = 128 };

// The frame record may lie anywhere in the frame: where the caller's stack begins is not known.
HAK_INLINE Registers registers_of_caller(const void* frame, uintptr_t pc) {
    const uintptr_t* words = frame;
    return (Registers){pc, 0, words[0], 0, false};
}

#else
#error "no walk of stacks for this architecture yet"
#endif

// Without what the processor may keep in the upper bits of a return address (pointer authentication).
HAK_INLINE uintptr_t plain_address(uintptr_t pc) {
    enum { ADDRESS_BITS = 48 };
    return pc & (((uintptr_t)1 << ADDRESS_BITS) - 1);
}

#endif
