// One run of hakstress-worker in a fresh process under a malloc library, and the proof that it was that library.
// Thread-safety: none; one run at a time. Errors: a line on stderr, and what end it came to.
#ifndef HAKSTRESS_WORKER_RUN_H
#define HAKSTRESS_WORKER_RUN_H

#include "worker/latency.h"
#include "workload/workload.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>

struct worker_job {
    const char* worker;   // the program
    const char* library;  // to preload, an absolute path without symbolic links; NULL: the C library's malloc
    const struct workload* workload;
    const uint64_t* params;
    double seconds;
    uint64_t threads, count, seed;
    bool latency;                          // with a clock on some calls, which slows it down
    const volatile sig_atomic_t* stopped;  // set by a signal handler: end the run
    // What only some want; zero: not.
    const char* allocator;        // its name, for messages
    char* const* variables;       // NAME=VALUE for its environment, ended by NULL
    const char* keys[3];          // further KEY=VALUE for the worker, ended by NULL
    const cpu_set_t* processors;  // to be bound to
    double timeout;               // seconds after which it is ended
    char* more;                   // what it prints after its line
    size_t more_size;
    char* failure;  // what went wrong, instead of on stderr; with what the worker said last
    size_t failure_size;
};

struct worker_figures {
    uint64_t ops;
    double seconds, ops_per_sec;
    uint64_t rss_peak_kib, rss_freed_kib;
    double user_seconds, system_seconds;
    uint64_t minor_faults, major_faults;
    struct latency malloc_latency, free_latency;  // where asked for
    char loaded_from[PATH_MAX];                   // the file that its malloc came from
};

enum worker_end {
    WORKER_OK,
    WORKER_FAILED,   // it crashed, or found damage
    WORKER_MISSING,  // it could not run, or not with the library asked for
    WORKER_STOPPED,
};

enum worker_end worker_run(const struct worker_job* job, struct worker_figures* figures);

// The last line of what was written to a file; "" when there is none.
void last_line(int file, char* out, size_t size);
// Our environment with nothing preloaded but the library, and with `variables` set. To be freed, but for its entries, which hold until the
// next call; NULL: out of memory.
char** worker_environment(const char* library, char* const* variables);
// Binds this process, and what it starts from now on, to some processors; NULL: to those of the first call.
void worker_bind(const cpu_set_t* processors);

#endif
