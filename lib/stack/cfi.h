// Unwind tables as compilers write them for exceptions (.eh_frame; Linux Standard Base 5.0, chapter 10; DWARF 5,
// section 6.4), read for one place in the code.
//
//   .eh_frame_hdr: a sorted table, first address of a function -> FDE
//   .eh_frame:     FDE: a function's range, and a program that makes a row of rules for each place in it
//                  CIE: what many FDEs share: how addresses are written, the first part of the program
//
// Only what a walk needs is followed: the CFA, the frame pointer and the return address. What the tables say beyond
// that, or a table without a sorted index, gives RULE_UNKNOWN.
// Thread-safety: pure functions.
// Errors: RULE_UNKNOWN. No byte outside of the given bounds is read, whatever the tables say.
#ifndef HAK_STACK_CFI_H
#define HAK_STACK_CFI_H

#include "stack/frame_rule.h"

typedef struct {
    const uint8_t* index;  // .eh_frame_hdr
    const uint8_t* start;  // the readable memory around it, which holds the rest, too
    const uint8_t* end;
} CfiTables;

FrameRule cfi_rule(const CfiTables* tables, uintptr_t pc);

#endif
