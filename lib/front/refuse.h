// Allocations that fail on purpose (HAKMEM_FAIL_AT, HAKMEM_FAIL_ONE_IN, HAKMEM_FAIL_FROM), and a note in the ring about
// every allocation that failed, so that a later crash can be traced to it. In the checked build only.
// Thread-safety: any thread. Errors: none; before the environment is known, nothing is refused.
#ifndef HAK_FRONT_REFUSE_H
#define HAK_FRONT_REFUSE_H

#include "base/atomic.h"

#if HAK_CHECKED
typedef enum { REFUSE_UNDECIDED, REFUSE_NONE, REFUSE_SOME } RefuseMode;
extern HAK_INTERNAL _Atomic uint32_t refuse_mode;
extern HAK_INTERNAL _Atomic uint64_t refuse_count;  // allocations of this process; the child of a fork counts its own

// Counts the allocation. true: it must fail; the refusal is noted. `site`: where the program called.
bool refuse_asked(size_t size, const void* site);
// A real failure.
void refuse_note(size_t size, const void* site);
void* refuse_null(void);  // sets ENOMEM

HAK_INLINE bool refuse(size_t size, const void* site) {
    return !HAK_EXPLORED && HAK_UNLIKELY(load_relaxed(&refuse_mode) != REFUSE_NONE) && refuse_asked(size, site);
}

HAK_INLINE void* refuse_if_null(void* block, size_t size, const void* site) {
    if (!HAK_EXPLORED && HAK_UNLIKELY(block == NULL)) refuse_note(size, site);
    return block;
}

// What a door gives: NULL if that was asked for, else the value of the expression `block`.
#define OR_REFUSED(call, size, block) \
    (refuse((size), (call)->site) ? refuse_null() : refuse_if_null((block), (size), (call)->site))
#else
#define OR_REFUSED(call, size, block) (block)
#endif
#endif
