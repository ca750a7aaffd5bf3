// Looks through the memory of a stopped process for words that may be addresses of blocks.
// Thread-safety: none needed. Errors: memory that cannot be read is left out.
#ifndef HAKSTRESS_MEMORY_SCAN_H
#define HAKSTRESS_MEMORY_SCAN_H

#include "process/process_memory.h"

struct memory_scan {
    const struct process_memory* memory;
    int pagemap;         // /proc/PID/pagemap; -1: which pages exist is unknown
    uint64_t low, high;  // other words are of no interest
    void (*word)(void* context, uint64_t word);
    void* context;
};

enum scan_pages {
    SCAN_ALL,      // even those that were never touched, which then exist
    SCAN_PRESENT,  // those that exist
    SCAN_WRITTEN,  // those that exist and are not as in a file
};

void memory_scan_open(struct memory_scan* scan, const struct process_memory* memory);
void memory_scan_close(struct memory_scan* scan);
// Calls word() for each word at a multiple of its size, in [from, end).
void memory_scan_range(const struct memory_scan* scan, uint64_t from, uint64_t end, enum scan_pages which);
// The same for words that were read already.
void memory_scan_words(const struct memory_scan* scan, const uint64_t* words, size_t count);

#endif
