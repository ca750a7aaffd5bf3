// Adds up which pages of the heap are in memory, and what they hold.
// Thread-safety: all functions. Errors: what cannot be read counts as 0.
#ifndef HAK_CENSUS_PARTS_H
#define HAK_CENSUS_PARTS_H

#include "census/census.h"

typedef struct {
    uint64_t bits[PAGES_PER_UNIT / 64];
} UnitPages;  // bit 1: the page is in memory

// Bytes of the pages from `first` on that are in memory.
uint64_t parts_bytes(const UnitPages* pages, uint32_t first, uint32_t count);
// Bytes of any range in memory.
uint64_t parts_of_range(int file, uint64_t start, uint64_t end);
// Splits what the rows have in memory, and the rest of the process.
void parts_finish(Census* census);

#endif
