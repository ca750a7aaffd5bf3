// A value in unwind tables, as far as a walk needs it: a number, a distance from a register, or the word there.
// Expressions (DWARF 5, section 2.5) are computed with such values. So what depends on nothing but the place in the
// code, as in the procedure linkage table, comes out as a number.
// Thread-safety: pure functions.
// Errors: VALUE_OTHER for what needs more: another register, two words from memory, a branch.
#ifndef HAK_STACK_CFI_VALUE_H
#define HAK_STACK_CFI_VALUE_H

#include "stack/bytes.h"

typedef enum { VALUE_OTHER, VALUE_NUMBER, VALUE_CFA, VALUE_SP, VALUE_FP } ValueBase;

typedef struct {
    ValueBase base;
    bool is_loaded;  // the word at base + offset, not the sum
    int64_t offset;
} CfiValue;

// A register by its number in the tables, plus an offset.
CfiValue cfi_register(uint64_t number, int64_t offset);

// The value of an expression for the place `pc` in the code. `first`, unless NULL, is on the stack of values before.
CfiValue cfi_expression(Bytes expression, uintptr_t pc, const CfiValue* first);

#endif
