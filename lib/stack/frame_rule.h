// How to get from a frame to the frame of its caller, for one place in the code. It is one word, so that it can be
// kept without a lock.
//
//   stack grows down     | ... | saved fp | ... | return address | CFA: the caller's stack begins here
//                          sp                                      = sp or fp + cfa_offset, or the word there
//
// Thread-safety: pure functions.
// Errors: none.
#ifndef HAK_STACK_FRAME_RULE_H
#define HAK_STACK_FRAME_RULE_H

#include "base/compiler.h"

#include <string.h>

typedef enum {
    RULE_UNKNOWN,  // no table tells
    RULE_LAST,     // the outermost frame
    RULE_CALL,
    RULE_SIGNAL,  // as RULE_CALL, but the caller was interrupted, and did not call
} RuleKind;

// Where a register of the caller is: in its register still, or in a word at a distance from one of these.
typedef enum { PLACE_REGISTER, PLACE_CFA, PLACE_SP, PLACE_FP } RulePlace;

enum { CFA_OFFSET_MOST = (1 << 23) - 1 };

// Distances of saved registers are in words of 8 bytes.
typedef struct {
    int64_t fp_offset : 16;
    int64_t pc_offset : 16;
    uint64_t cfa_offset : 24;  // bytes, signed: see rule_cfa_offset
    uint64_t kind : 2;
    uint64_t cfa_from_fp : 1;    // else from sp
    uint64_t cfa_is_loaded : 1;  // the word at the sum, not the sum
    uint64_t fp_place : 2;
    uint64_t pc_place : 2;
} FrameRule;

_Static_assert(sizeof(FrameRule) == 8, "a rule is one word");

HAK_INLINE int64_t rule_cfa_offset(FrameRule rule) {
    return (int64_t)((uint64_t)rule.cfa_offset << 40) >> 40;
}

// As most code is: called, the return address below the CFA, the frame pointer unchanged or in a word near it.
HAK_INLINE bool rule_is_plain(FrameRule rule) {
    const FrameRule plain = {.kind = RULE_CALL, .pc_place = PLACE_CFA, .pc_offset = -1};
    const FrameRule relevant = {.kind = 3, .cfa_is_loaded = 1, .pc_place = 3, .pc_offset = -1, .fp_place = 2};
    uint64_t word, want, mask;
    memcpy(&word, &rule, sizeof word);
    memcpy(&want, &plain, sizeof want);
    memcpy(&mask, &relevant, sizeof mask);
    return (word & mask) == want;
}

// For code that keeps a frame pointer: it points to the caller's one, and the return address is behind that.
HAK_INLINE FrameRule frame_pointer_rule(void) {
    return (FrameRule){.kind = RULE_CALL,
                       .cfa_from_fp = 1,
                       .fp_place = PLACE_FP,
                       .pc_place = PLACE_FP,
                       .cfa_offset = 16,
                       .fp_offset = 0,
                       .pc_offset = 1};
}

#endif
