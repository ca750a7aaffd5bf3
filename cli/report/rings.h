// Reads the debug rings of another process: which thread did what, and when.
//
// A thread's number is the allocator's, that of its control block: a new thread may get the number of one that ended.
// So an event also has the kernel's number (os_tid), if it is known.
// Thread-safety: a ring may be written meanwhile; its newest record may then be incomplete. Errors: a ring that was
// never started is empty.
#ifndef HAKSTRESS_RINGS_H
#define HAKSTRESS_RINGS_H

#include "report/ring_event.h"

#include <jansson.h>

// How many records all threads have ever written.
uint64_t rings_events(const HakRingFile* ring);

// The allocator's number of the thread with this gettid(); 0: unknown.
uint64_t rings_thread_number(const HakRingFile* ring, uint32_t os_tid);

// How often each missing change drained a slab that another thread owned: {"superslab_refill": N, ...}.
json_t* rings_foreign_drain_counts(const HakRingFile* ring);

// The newest `most` events of all threads that the filter accepts, in order of time. Returns how many.
typedef bool ring_filter(const HakRingRecord* record, const void* wanted);
size_t rings_find(const struct ring_reader* reader, ring_filter* filter, const void* wanted, size_t most,
                  struct ring_event* out);

// The newest such event among the last `among` of a living thread. False: there is none.
bool rings_last(const HakRingFile* ring, uint32_t os_tid, uint32_t event, uint64_t among, HakRingRecord* out);

// Before this tick some rings are incomplete; 0: all are complete.
uint64_t rings_complete_since(const struct ring_reader* reader);

// The os_tid of the thread that had the number `number` at a time; 0: unknown.
uint32_t rings_os_tid_of(const struct ring_reader* reader, uint32_t number, uint64_t tick);

// The last `most` events of every slot that was ever used: an array of {thread, os_tid, alive, written, events: [...]}.
// The thread `first` (a gettid) comes before the others.
json_t* rings_tails(const struct ring_reader* reader, uint32_t first, size_t most);

#endif
