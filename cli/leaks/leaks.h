// What the processes of a run never freed: lost, as nothing leads to it any more, or still reachable.
//
//   leaks_read: at the end of each process        -> leak_table: blocks by stack
//   leaks_json: at the end of the run             -> {definite, indirect, reachable, unlisted, processes, modules,
//                                                    stacks}
//
// Thread-safety: none needed. Errors: what cannot be read is left out.
#ifndef HAKSTRESS_LEAKS_H
#define HAKSTRESS_LEAKS_H

#include "leaks/leak_table.h"
#include "leaks/roots.h"
#include "observe/ring.h"

#include <jansson.h>

struct leaks {
    bool with_reachable;  // stacks of reachable blocks are wanted, too
    struct leak_table table;
    struct leak_sums sums;      // of all processes
    struct leak_sums unlisted;  // of these, of stacks beyond the 5000 of a process that lost most
    json_t* processes;          // [{pid, command, definite, indirect, reachable}], of those that lost something
    size_t searched;            // processes
    size_t without_records;     // processes that had none
    size_t failed;              // processes for which there was no memory
};

struct leaking_process {
    pid_t process, thread;  // a stopped thread of it
    const char* command;
    const char* library;      // path of the allocator's library
    const char* ring_folder;  // in which the rings are; "": none
    const HakRingFile* ring;
    uint64_t ring_address;  // in the process, if the ring is in no folder
    const struct root_thread* threads;
    size_t thread_count;
};

void leaks_start(struct leaks* leaks, bool with_reachable);
void leaks_read(struct leaks* leaks, const struct leaking_process* of);
// The stacks: the most lost bytes first. Each has {definite, indirect, reachable, processes, frames: [{module, offset,
// address}]}.
json_t* leaks_json(const struct leaks* leaks);
void leaks_free(struct leaks* leaks);

#endif
