// How blocks leave the quarantine: their poison is looked at, and they go to the allocator.
//
//   record: QUARANTINED ──> FREE
//
// Thread-safety: the calling thread's own quarantine. Errors: a block that was written to is fatal.
#ifndef HAK_GUARD_RELEASE_H
#define HAK_GUARD_RELEASE_H

#include "guard/quarantine.h"

// One after the other while there is one too many; or all. true: some block was there.
bool guard_release_oldest(bool all);

HAK_INLINE void guard_set_state(HakGuardRecord* record, HakGuardState state) {
    uint64_t word = load_relaxed(&record->word);
    store_release(&record->word, guard_with_state(word, state));  // pairs with the acquires in guard.c
}

#endif
