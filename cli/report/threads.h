// All threads of a living process: where each one is, and the word that it waits for in the kernel.
// Thread-safety: none needed. Errors: a thread that ends meanwhile is left out; one that cannot be stopped has a
// "backtrace_problem".
#ifndef HAKSTRESS_THREADS_H
#define HAKSTRESS_THREADS_H

#include "observe/ring.h"
#include "process/procmaps.h"

#include <jansson.h>

struct thread_seen {
    pid_t os_tid;
    uint64_t number;   // the allocator's; 0: it never used the allocator
    uint64_t futex;    // address of the word; 0: it waits for none
    uint64_t pointer;  // to its thread-local memory; 0: unknown
    json_t* json;      // {"os_tid", "thread", "name", "backtrace", "backtrace_problem"}
};

struct threads_seen {
    struct thread_seen* list;
    size_t count;
};

// `held`: this process traces them, and has stopped them; otherwise each is stopped for a moment.
void threads_see(struct threads_seen* threads, const struct procmaps* maps, const HakRingFile* ring, pid_t process,
                 bool held);
const struct thread_seen* threads_find(const struct threads_seen* threads, pid_t os_tid);  // NULL: there is none
void threads_free(struct threads_seen* threads);

#endif
