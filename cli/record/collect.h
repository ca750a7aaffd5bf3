// Turns the recorder's files into trace files: FILE for the command itself, FILE.PID for each process that it started,
// FILE.PID.N for what a process was before an exec gave it another program.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_RECORD_COLLECT_H
#define HAKSTRESS_RECORD_COLLECT_H

#include "record/start.h"
#include "workload/trace_file.h"

struct collected {
    char path[PATH_MAX];
    struct trace_header header;
    int stopped;  // errno; 0: it was recorded to its end
    bool is_own;  // the trace of the command, not of a process that it started
};

struct collection {
    struct collected* traces;  // the command's own first, if there is one; the others by size
    size_t count;
};

// Processes that allocated nothing are left out. If one trace cannot be saved, the others still are.
bool collect(const struct raw_dir* dir, pid_t command, const char* file, struct collection* out);
void collection_free(struct collection* collection);

// False after a message: no trace can be written there. Only a trace or an empty file is ever replaced.
bool collect_can_write(const char* file);

#endif
