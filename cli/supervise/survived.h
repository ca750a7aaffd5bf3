// What the processes under `hakstress run` did wrong and survived: wrong acts that the library told
// (HAKMEM_ON_ERROR=report), and accesses to closed memory that ended in a handler of the program.
// Thread-safety: none needed. Errors: a process that cannot be read counts nothing.
#ifndef HAKSTRESS_SURVIVED_H
#define HAKSTRESS_SURVIVED_H

#include "supervise/ring_dir.h"
#include "supervise/tracing.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { SURVIVED_PROCESSES_MAX = 64 };

// The accesses of one process.
struct caught_accesses {
    pid_t process;
    uint64_t count;
    uint64_t last_pc, at_last_pc;  // how many there were, one after another, at that instruction
    json_t* first;                 // {pid, command, fault_addr, what, where}
};

struct survived {
    const struct ring_dir* rings;
    json_t* told;  // [{pid, command, count, check, site, line: the first}], of each process
    struct caught_accesses caught[SURVIVED_PROCESSES_MAX];
    size_t caught_count;
};

void survived_start(struct survived* survived, const struct ring_dir* rings);
void survived_free(struct survived* survived);

// At the end of a process, or before it runs another program: what its ring has. `thread`: a living one; 0: it is gone.
void survived_note_told(struct survived* survived, pid_t process, pid_t thread);
// A stopped thread got SIGSEGV from the processor, and has not received it yet.
void survived_note_fault(struct survived* survived, pid_t process, pid_t thread, const struct tracing_signal* signal);
// The process died of a signal, which was noted before if it was such a fault. The fault of which it died does not
// count, nor do those before it at the same instruction: a handler that gives up returns to it.
void survived_note_death(struct survived* survived, const struct tracing_death* death);

json_t* survived_caught_json(const struct survived* survived);  // [{pid, command, count, fault_addr, what, where}]
// Did the library tell of anything?
bool survived_is_told(const struct survived* survived);
// One line for each process that scripts can find and, unless `brief`, what it means.
void survived_print(const struct survived* survived, bool brief, FILE* out);

#endif
