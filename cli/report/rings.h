// Reading the debug rings of another process.
// Thread-safety: a ring may be written meanwhile; its newest record may then be half new. Errors: a ring that was never started is
// empty.
#ifndef HAKSTRESS_RINGS_H
#define HAKSTRESS_RINGS_H

#include "observe/ring.h"

#include <jansson.h>

// Records ever written, by all threads.
uint64_t rings_events(const HakRingFile* ring);

// The allocator's number of the thread with this gettid(); 0: unknown.
uint64_t rings_thread_number(const HakRingFile* ring, uint32_t os_tid);

// How often each missing change drained a slab that somebody else owned: {"superslab_refill": N, ...}.
json_t* rings_foreign_drain_counts(const HakRingFile* ring);

// The last `most` events of every slot that was ever used: an array of {thread, os_tid, alive, written, events: [...]}, the thread
// `first` (a gettid) before the others. Times are seconds relative to `zero`, on CLOCK_MONOTONIC.
json_t* rings_tails(const HakRingFile* ring, double zero, uint32_t first, size_t most);

// The last `most` events, of all threads and in order of time, whose pointer is `address`.
json_t* rings_history(const HakRingFile* ring, double zero, uint64_t address, size_t most);

#endif
