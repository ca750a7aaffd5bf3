// Reading the debug rings of another process: which thread did what, and when.
//
// Threads have the allocator's number, which is that of their control block: a thread that starts may get the number of one that
// ended. So an event carries the kernel's number (os_tid) too, where it is known.
// Thread-safety: a ring may be written meanwhile; its newest record may then be half new. Errors: a ring that was never started is
// empty.
#ifndef HAKSTRESS_RINGS_H
#define HAKSTRESS_RINGS_H

#include "report/ring_event.h"

#include <jansson.h>

// Records ever written, by all threads.
uint64_t rings_events(const HakRingFile* ring);

// The allocator's number of the thread with this gettid(); 0: unknown.
uint64_t rings_thread_number(const HakRingFile* ring, uint32_t os_tid);

// How often each missing change drained a slab that somebody else owned: {"superslab_refill": N, ...}.
json_t* rings_foreign_drain_counts(const HakRingFile* ring);

// The newest `most` events that the filter takes, of all threads, in order of time. Gives their number.
typedef bool ring_filter(const HakRingRecord* record, const void* wanted);
size_t rings_find(const struct ring_reader* reader, ring_filter* filter, const void* wanted, size_t most,
                  struct ring_event* out);

// Before this tick some rings no longer hold everything; 0: they hold all that ever was.
uint64_t rings_complete_since(const struct ring_reader* reader);

// Who had the thread number `number` at a time; 0: unknown.
uint32_t rings_os_tid_of(const struct ring_reader* reader, uint32_t number, uint64_t tick);

// The last `most` events of every slot that was ever used: an array of {thread, os_tid, alive, written, events: [...]}, the thread
// `first` (a gettid) before the others.
json_t* rings_tails(const struct ring_reader* reader, uint32_t first, size_t most);

#endif
