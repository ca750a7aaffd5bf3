#include "census/parts.h"

#include "census/about.h"

static uint64_t bytes_of(const uint64_t* bits, uint32_t first, uint32_t count) {
    uint64_t found = 0;
    for (uint32_t i = first; i < first + count && i < PAGES_PER_UNIT; i++) found += bits[i / 64] >> (i % 64) & 1;
    return found << PAGE_SHIFT;
}

void parts_add(const CensusRoom* room, uint32_t first, uint32_t count, uint64_t* resident, uint64_t* unsure) {
    *resident += bytes_of(room->pages, first, count);
    *unsure += bytes_of(room->unsure, first, count);
}

uint64_t parts_of_range(int file, CensusRoom* room, uint64_t start, uint64_t end) {
    uint64_t bytes = 0;
    for (start = align_down(start, PAGE_SIZE_BYTES); start < end; start += UNIT_SIZE) {
        uint64_t left = (end - start + PAGE_SIZE_BYTES - 1) >> PAGE_SHIFT;
        uint32_t count = left < PAGES_PER_UNIT ? (uint32_t)left : PAGES_PER_UNIT;
        if (about_pages(file, start, count, room)) bytes += bytes_of(room->pages, 0, count);
    }
    return bytes;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

// Blocks come first: those that a program never touched are not in memory, but then little else of their slab is.
static void split_row(CensusParts* parts, const CensusRow* row, bool runs) {
    uint64_t live = least(row->resident, row->live_bytes);
    uint64_t cached = least(row->resident - live, row->cached_bytes);
    parts->live += live;
    parts->cached += cached;
    *(runs ? &parts->free_dirty : &parts->gaps) += row->resident - live - cached;
}

uint64_t parts_unsure(const Census* census) {
    uint64_t unsure = census->free_unsure;
    for (unsigned r = 0; r < CENSUS_ROWS; r++) unsure += census->row[r].unsure;
    return unsure;
}

// In whole pages; share is in 65536ths.
static void take(uint64_t* resident, uint64_t unsure, uint64_t share) {
    *resident -= least(*resident, ((unsure >> PAGE_SHIFT) * share >> 16) << PAGE_SHIFT);
}

void parts_take_zeros(Census* census, uint64_t in_memory) {
    uint64_t present = census->parts.free_dirty, unsure = parts_unsure(census);
    for (unsigned r = 0; r < CENSUS_ROWS; r++) present += census->row[r].resident;
    if (unsure == 0 || in_memory >= present) return;
    uint64_t zeros = least(present - in_memory, unsure), share = ((zeros >> PAGE_SHIFT) << 16) / (unsure >> PAGE_SHIFT);
    for (unsigned r = 0; r < CENSUS_ROWS; r++) take(&census->row[r].resident, census->row[r].unsure, share);
    take(&census->parts.free_dirty, census->free_unsure, share);
}

void parts_finish(Census* census) {
    CensusParts* parts = &census->parts;
    for (unsigned r = 0; r < CENSUS_ROWS; r++) split_row(parts, &census->row[r], r == CENSUS_RUNS);
    uint64_t ours = parts->live + parts->cached + parts->gaps + parts->free_dirty + parts->tables;
    parts->others = census->resident > ours ? census->resident - ours : 0;
}
