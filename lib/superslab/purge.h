// Free memory goes back to the system: the longest-free first, without a thread of its own and without system calls while a
// program runs steadily.
//
//   free dirty bytes <= HAKMEM_RESERVE                 is left alone
//   beyond that: units that nobody wanted for HAKMEM_PURGE_MS go, and as many free slabs as were never needed in that time
//   free dirty bytes <= max(128 MiB, live bytes)       always: the oldest goes at once
//
// Runs of units are kept mapped, as they are soon used again. What the system refuses to purge there, for a page of it is locked or pinned,
// is unmapped instead; so is all that is free when the program asks (malloc_trim) or the system has refused more memory.
// Thread-safety: under heap_lock. Errors: memory that the system does not take back stays dirty and in use; it is not tried again soon.
#ifndef HAK_SUPERSLAB_PURGE_H
#define HAK_SUPERSLAB_PURGE_H

#include "superslab/heap.h"

// Purges what the policy lets go, at a time of os_clock_ms().
void purge_aged(uint64_t now);
// The same, when units or slabs were given back.
void purge_tick(void);
// Whether nobody gave memory back for `ms` milliseconds: what is free then is not part of a rhythm.
bool purge_rested(uint64_t ms);
// Before as many units that hold nothing are handed out: near the limit of the control group, so much that is free and dirty goes first.
void purge_before_new(UnitNumber units);
// Purges all but `keep` free dirty bytes.
void purge_rest(size_t keep);
// The same, and unmaps what can be used again only by mapping it: free units count in no limit afterwards. true: some went.
bool purge_free(size_t keep);
bool purge_everything_free(void);

#endif
