// The hash of a run's events. Two runs with the same hash did the same, operation by operation.
// Addresses count by their offset in tracked memory, and values do not count: some are addresses that differ from
// process to process. A value that mattered shows in what came next.
// Thread-safety: none needed.
// Errors: none; of a run with more than EVENTS_MOST events, the first ones and the number count.
#ifndef EXPLORE_RECORD_TRACE_H
#define EXPLORE_RECORD_TRACE_H

#include <stdint.h>

// Of what is recorded. offset_of: the offset of an address, the same in each process.
uint32_t trace_hash(uint64_t (*offset_of)(uint64_t address));

#endif
