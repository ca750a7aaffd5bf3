// The programs in unwind tables: run up to a place in the code, they make the row of rules that holds there.
// Thread-safety: pure functions.
// Errors: RULE_UNKNOWN.
#ifndef HAK_STACK_CFI_PROGRAM_H
#define HAK_STACK_CFI_PROGRAM_H

#include "stack/bytes.h"
#include "stack/frame_rule.h"

// What a CIE says. `program.bad`: nothing that can be used.
typedef struct {
    const uint8_t* index;  // addresses may be written as distances from it
    uint64_t code_step;    // unit of distances in the code
    int64_t data_step;     // unit of distances on the stack
    uint64_t return_register;
    uint8_t encoding;  // of addresses
    bool is_signal;    // its functions are what a signal handler returns to
    bool has_data;     // FDEs have augmentation data, after a length
    Bytes program;
} CfiCie;

// The rule for the place `pc` in a function that begins at `function`.
FrameRule cfi_run(const CfiCie* cie, Bytes program, uintptr_t function, uintptr_t pc);

#endif
