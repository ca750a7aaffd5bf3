// Blocks leave the quarantine: their poison is checked, and they go to the allocator.
//
//   record: QUARANTINED ──> FREE
//
// Thread-safety: the calling thread's own quarantine.
// Errors: a block that was written to is fatal.
#ifndef HAK_GUARD_RELEASE_H
#define HAK_GUARD_RELEASE_H

#include "guard/quarantine.h"

// Releases blocks while there is one too many, or all. true: there was one.
bool guard_release_oldest(bool all);

// Frees a block that is not kept back, or no longer.
void guard_give_to_allocator(const Quarantined* q);

HAK_INLINE void guard_set_state(HakGuardRecord* record, HakGuardState state) {
    uint64_t word = load_relaxed(&record->word);
    // pairs with the acquires in begin, covers, block_around, seize, guard_usable_size, word_of, check_live
    store_release(&record->word, guard_with_state(word, state));
}

#endif
