// The roots of a stopped process: what it can reach without going through a block of the heap. These are its writable
// memory that is not the allocator's, the stacks of its threads, and their registers.
// Thread-safety: none needed. Errors: what cannot be read is left out.
#ifndef HAKSTRESS_ROOTS_H
#define HAKSTRESS_ROOTS_H

#include "leaks/memory_scan.h"
#include "leaks/ranges.h"
#include "process/procmaps.h"

enum { ROOT_REGISTERS = 40 };

// A thread, as it was when it stopped.
struct root_thread {
    uint64_t stack;                      // where what it uses of its stack begins
    uint64_t self;                       // its thread pointer; 0: unknown
    uint64_t registers[ROOT_REGISTERS];  // those that count; others are 0
    const uint64_t* vectors;
    size_t vector_count;
};

struct roots {
    const struct procmaps* maps;
    struct ranges* own;  // the allocator's memory; what is unused of the stacks is added
    const struct root_thread* threads;
    size_t thread_count;
};

// Calls the word() of `scan` for each word.
void roots_scan(const struct roots* roots, const struct memory_scan* scan);

#endif
