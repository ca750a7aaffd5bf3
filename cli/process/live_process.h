// A process that has the library, read from outside while it runs: it is not stopped and notices nothing.
//
//   /proc/PID/maps -> ELF header in its memory -> note "hakmem" -> hak_live (census/live.h) -> census
//
// Thread-safety: none needed. Errors: `problem` says in words why the process cannot be read.
#ifndef HAKSTRESS_LIVE_PROCESS_H
#define HAKSTRESS_LIVE_PROCESS_H

#include "census/census.h"
#include "process/process_memory.h"

enum live_state {
    LIVE_OPEN,
    LIVE_GONE,     // no such process
    LIVE_REFUSED,  // the kernel lets the caller not read it
    LIVE_WITHOUT,  // it does not have the library
    LIVE_OTHER,    // it has a library of another version
};

struct live_process {
    CensusSource source;  // first: the census passes its address
    struct process_memory memory;
    HakLive live;
    uint64_t address;  // of hak_live there
};

enum live_state live_process_open(struct live_process* process, pid_t pid);
void live_process_close(struct live_process* process);
// False: the process is gone.
bool live_process_census(const struct live_process* process, Census* out);

// The process ids of the user's processes that have the library and can be read, at most `most`, the lowest first.
size_t live_processes(pid_t* out, size_t most);

// "process 12 ...": why it cannot be read, and what to do. The path of a library may be in it.
enum { LIVE_PROBLEM_BYTES = 4096 + 128 };
void live_problem(enum live_state state, pid_t pid, char* out, size_t size);

#endif
