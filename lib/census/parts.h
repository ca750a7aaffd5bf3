// Adds up which pages of the heap are in memory, and what they hold.
// Thread-safety: all functions. Errors: what cannot be read counts as 0.
#ifndef HAK_CENSUS_PARTS_H
#define HAK_CENSUS_PARTS_H

#include "census/census.h"

// Bytes of the unit's pages from `first` on that are in memory.
uint64_t parts_bytes(const CensusRoom* room, uint32_t first, uint32_t count);
// Bytes of any range in memory.
uint64_t parts_of_range(int file, CensusRoom* room, uint64_t start, uint64_t end);
// Splits what the rows have in memory, and the rest of the process.
void parts_finish(Census* census);

#endif
