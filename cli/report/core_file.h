// A core dump: its memory, its threads with their stacks, and why it was written. By elfutils' libelf and libdwfl.
// Thread-safety: one core at a time. Errors: core_file_open returns false, and *problem says why.
#ifndef HAKSTRESS_CORE_FILE_H
#define HAKSTRESS_CORE_FILE_H

#include "process/process_memory.h"
#include "process/procmaps.h"

#include <jansson.h>
#include <libelf.h>
#include <signal.h>
#include <sys/user.h>

struct core_segment {
    uint64_t start, bytes, offset;  // `bytes` are in the file
};

struct core_thread {
    pid_t thread;
    struct user_regs_struct registers;
};

struct core_file {
    int file;
    Elf* elf;
    struct core_segment* segments;
    size_t segment_count;
    struct core_thread* threads;  // the one that died first comes first
    size_t thread_count;
    struct procmaps maps;  // as /proc/PID/maps had them, with the paths of files
    int number;            // of the signal; 0: unknown
    siginfo_t signal;      // si_signo 0: unknown
    pid_t process;
    char command[96];
};

// `program`: the executable, in place of the one that the core names; NULL: that one.
bool core_file_is(const char* path);
bool core_file_open(struct core_file* core, const char* path, const char* program, const char** problem);
// Reads what the core has, and what it leaves out from the files that were mapped.
void core_file_memory(const struct core_file* core, struct process_memory* memory);
// The frames of a thread, as code_place() makes them. *problem: why there are no more; NULL: the stack ends there.
json_t* core_file_stack(const struct core_file* core, const char* program, pid_t thread, const char** problem);
void core_file_close(struct core_file* core);

#endif
