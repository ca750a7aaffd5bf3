// Adds up which pages of the heap are in memory, and what they hold.
// Thread-safety: all functions. Errors: what cannot be read counts as 0.
#ifndef HAK_CENSUS_PARTS_H
#define HAK_CENSUS_PARTS_H

#include "census/census.h"

// Adds the bytes of the unit's pages from `first` on that are in memory, and of those that perhaps are not.
void parts_add(const CensusRoom* room, uint32_t first, uint32_t count, uint64_t* resident, uint64_t* unsure);
// Bytes of any range in memory.
uint64_t parts_of_range(int file, CensusRoom* room, uint64_t start, uint64_t end);
// Pages that were read before they were written share one page of zeros, which is nobody's memory; only the system's
// sum over all pages tells. Takes what is too much from the rows. in_memory: that sum, for the heap.
void parts_take_zeros(Census* census, uint64_t in_memory);
// Bytes that perhaps are not in memory.
uint64_t parts_unsure(const Census* census);
// Splits what the rows have in memory, and the rest of the process.
void parts_finish(Census* census);

#endif
