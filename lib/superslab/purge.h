// Purge: free memory goes back to the system, the longest free first. It needs no thread of its own, and makes no
// system calls while a program runs steadily.
//
//   free dirty bytes <= HAKMEM_RESERVE                 is left alone
//   beyond that: units that nobody needed for HAKMEM_PURGE_MS go, and as many free slabs as were not needed meanwhile
//   free dirty bytes <= max(128 MiB, live bytes)       always: the oldest goes at once
//
// Runs of units stay mapped, because they are soon used again. A run is unmapped instead if the system refuses to purge
// it, since a page of it is locked or pinned, or if huge pages were asked for or pages were moved there. All free
// memory is unmapped when the program asks (malloc_trim), or when the system refused more memory.
// Thread-safety: under heap_lock.
// Errors: memory that the system does not take back stays dirty and usable; it is not tried again soon.
#ifndef HAK_SUPERSLAB_PURGE_H
#define HAK_SUPERSLAB_PURGE_H

#include "superslab/heap.h"

// Purges what the rules above allow at time `now` (os_clock_ms).
void purge_aged(uint64_t now);
// The same, after units or slabs were given back.
void purge_tick(void);
// Whether nobody gave memory back for `ms` milliseconds. Then what is free is idle, not about to be used again.
bool purge_is_idle_for(uint64_t ms);
// Called before as many untouched units are handed out: near the limit of the control group, that much free dirty
// memory goes first.
void purge_before_new(UnitNumber units);
// Purges free dirty memory down to `keep` bytes.
void purge_rest(size_t keep);
// The same, and unmaps units that must only be mapped again to be used: free units then count in no limit. true: some
// memory went back.
bool purge_free(size_t keep);
bool purge_everything_free(void);

#endif
