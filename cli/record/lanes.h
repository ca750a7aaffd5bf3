// Threads that never were at work at the same time share a lane: a replay starts them one after the other.
// Thread-safety: none.
#ifndef HAKSTRESS_RECORD_LANES_H
#define HAKSTRESS_RECORD_LANES_H

#include <stddef.h>
#include <stdint.h>

struct span {
    uint32_t thread;     // the recorder's number
    size_t first, last;  // its first and last event
    uint32_t lane;
};

// Sorts by first event and chooses lanes. Returns how many; 0: out of memory.
uint32_t lanes_choose(struct span* spans, uint32_t count);

#endif
