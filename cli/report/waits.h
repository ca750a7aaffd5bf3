// Who waits for whom in a stopped process: the allocator's locks, by their table (front/lock_table.h), and the mutexes
// of the C library.
// Thread-safety: none needed. Errors: what cannot be read is left out.
#ifndef HAKSTRESS_WAITS_H
#define HAKSTRESS_WAITS_H

#include "process/process_memory.h"
#include "report/threads.h"

// Adds "waits_for" to the thread's JSON: {"what": "mutex" or "lock" or "word", "name", "address", "holder"}; "holder"
// is an os_tid. Returns {"locks": how many the table has, "held": [{"name", "rank", "address", "holder", "waiters"}],
// "deadlock": ["thread A waits for ... that thread B holds", ...]}. "deadlock" is empty if no circle was found.
json_t* waits_find(const struct threads_seen* threads, const struct process_memory* memory, uint64_t lock_table);

#endif
