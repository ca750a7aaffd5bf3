// Whether an instruction that stopped at a memory address was reading or writing there. ptrace does not tell, and the
// page fault's error code is in a signal frame alone. So the instruction is looked up by its opcode. One that reads,
// changes and writes back counts as a write, as the processor counts it.
// Sources: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A (opcode map), and the
// pages of the EVEX stores.
// Thread-safety: any thread. Errors: ACCESS_UNKNOWN.
#ifndef HAKSTRESS_INSTRUCTION_H
#define HAKSTRESS_INSTRUCTION_H

#include <stddef.h>
#include <stdint.h>

enum access { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE };

enum { INSTRUCTION_MOST = 15 };

struct instruction_state {
    uint8_t code[INSTRUCTION_MOST];  // of x86-64
    size_t bytes;                    // that could be read
    uint64_t to, stack;              // the values of rdi, where string instructions write, and of rsp
    uint64_t fault;                  // the address of the fault
};

enum access instruction_access(const struct instruction_state* state);

#endif
