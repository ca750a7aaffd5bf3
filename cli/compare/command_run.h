// Runs of the user's own command: measured ones, and the one before them that shows whether the allocator is in it.
// Thread-safety: none; one at a time. Errors: see enum worker_end; WORKER_MISSING comes after a message.
#ifndef HAKSTRESS_COMPARE_COMMAND_RUN_H
#define HAKSTRESS_COMPARE_COMMAND_RUN_H

#include "compare/comparison.h"
#include "worker/run.h"

enum worker_end command_measure(const struct comparison* comparison, const struct subject* subject,
                                struct sample* sample, char* failure, size_t failure_size);

// Runs it once, watched by ptrace, and reads the memory map of each of its processes at its end. Notes in `loaded_from` what was loaded. Where
// ptrace is refused it is the command's own process alone, looked at while it runs.
enum worker_end command_prove(const struct comparison* comparison, struct subject* subject, char* failure,
                              size_t failure_size);

#endif
