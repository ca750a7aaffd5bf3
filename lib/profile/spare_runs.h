// Short page runs of samples that were freed, for the next samples: to take a run from its SuperSlab and to give it
// back costs more than all else of a sample. For the rest of the allocator they are in use.
//
//   length 1: | run | run | 0 | 0 |    length 2: ...    at most SPARE_PLACES each, and 160 KiB in all
//
// Thread-safety: any thread, and signal handlers, without a lock.
// Errors: false or NULL if there is no place, or no run.
#ifndef HAK_PROFILE_SPARE_RUNS_H
#define HAK_PROFILE_SPARE_RUNS_H

#include "base/atomic.h"

enum { SPARE_LENGTHS = 4, SPARE_PLACES = 4 };

extern HAK_INTERNAL _Atomic(void*) spare_runs[SPARE_LENGTHS][SPARE_PLACES];

// A run of that many pages, which may be any number. Nobody uses it any more.
bool spare_put(void* run, uint32_t pages);
void* spare_take(uint32_t pages);
// Whether the run is one of them: then it is free, although the tables say that it is in use.
bool spare_has(const void* run);

#endif
