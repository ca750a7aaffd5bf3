// One run of hakstress-worker in a fresh process under a malloc library, with proof that this library was used.
// Thread-safety: none; one run at a time. Errors: a line on stderr, and how the run ended.
#ifndef HAKSTRESS_WORKER_RUN_H
#define HAKSTRESS_WORKER_RUN_H

#include "worker/latency.h"
#include "workload/workload.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>

// A worker that has crashed and waits (worker/crash.h).
struct worker_crash {
    pid_t process, thread;
    int signal;
    uint64_t info, context;  // addresses of the siginfo_t and the ucontext_t in it
    double after;            // seconds since it was started
    const char* workload;
    const char* again;  // the command line that repeats the run
};

struct worker_job {
    const char* worker;   // the program
    const char* library;  // to preload, an absolute path without symbolic links; NULL: the C library's malloc
    const struct workload* workload;
    const uint64_t* params;
    double seconds;
    uint64_t threads, count, seed;
    bool latency;                          // with a clock around some calls, which slows it down
    const volatile sig_atomic_t* stopped;  // set by a signal handler: end the run
    // For some callers only; zero: not used.
    const char* allocator;        // its name, for messages
    char* const* variables;       // NAME=VALUE for its environment, ended by NULL
    const char* keys[3];          // further KEY=VALUE for the worker, ended by NULL
    const cpu_set_t* processors;  // to bind it to
    double timeout;               // seconds after which it is killed
    char* more;                   // receives what it prints after its line
    size_t more_size;
    char* failure;  // receives what went wrong, instead of stderr, with the worker's last message
    size_t failure_size;
    void (*crashed)(void* context, const struct worker_crash* crash);  // NULL: it just dies
    void* crash_context;
};

struct worker_figures {
    uint64_t ops;
    double seconds, ops_per_sec;
    uint64_t rss_peak_kib, rss_freed_kib;
    double user_seconds, system_seconds;
    uint64_t minor_faults, major_faults;
    struct latency malloc_latency, free_latency;  // if requested
    char loaded_from[PATH_MAX];                   // the file that its malloc came from
};

enum worker_end {
    WORKER_OK,
    WORKER_FAILED,   // it crashed, or found damage
    WORKER_MISSING,  // it could not run, or not with the requested library
    WORKER_STOPPED,
};

enum worker_end worker_run(const struct worker_job* job, struct worker_figures* figures);

// The last line that was written to a file; "" if there is none.
void last_line(int file, char* out, size_t size);
// Our environment, with only the library preloaded and with `variables` set. The caller frees the array; its entries
// are valid until the next call. NULL: out of memory.
char** worker_environment(const char* library, char* const* variables);
// Binds this process, and what it starts from now on, to some processors. NULL restores those of the first call.
void worker_bind(const cpu_set_t* processors);

#endif
