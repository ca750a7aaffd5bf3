// Runs of the user's own command: measured ones, and one before them that shows whether the allocator is loaded.
// Thread-safety: none; one at a time. Errors: see enum worker_end; WORKER_MISSING comes after a message.
#ifndef HAKSTRESS_COMPARE_COMMAND_RUN_H
#define HAKSTRESS_COMPARE_COMMAND_RUN_H

#include "compare/comparison.h"
#include "worker/run.h"

enum worker_end command_measure(const struct comparison* comparison, const struct row* row,
                                const struct subject* subject, struct sample* sample, char* failure,
                                size_t failure_size);

// Runs the command once, watched by ptrace, and reads the memory map of each of its processes at its end. Sets
// `loaded_from` to what was loaded. If ptrace is refused, only the command's own process is inspected, while it runs.
enum worker_end command_prove(const struct comparison* comparison, const struct row* row, struct subject* subject,
                              char* failure, size_t failure_size);

// The user's shell commands around each run, if there are any. False: it failed, and `failure` says how.
bool command_prepare(const struct comparison* comparison, const struct row* row, char* failure, size_t failure_size);
bool command_cleanup(const struct comparison* comparison, const struct row* row, char* failure, size_t failure_size);

#endif
