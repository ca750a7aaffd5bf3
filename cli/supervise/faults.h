// The processes that died under `hakstress run`: a crash report for each, written while its memory is still there.
// Thread-safety: none needed. Errors: what could not be had is said in the report; one that cannot be written is counted all the same.
#ifndef HAKSTRESS_FAULTS_H
#define HAKSTRESS_FAULTS_H

#include "args/args.h"
#include "supervise/ring_dir.h"
#include "supervise/tracing.h"

#include <jansson.h>
#include <stdio.h>

struct faults {
    const struct args* args;
    const struct ring_dir* rings;
    const char* again;    // the command line of this run
    const char* command;  // that of the command alone
    pid_t process;        // of the command
    double began;
    unsigned count;  // of processes that died of a fault
    json_t* list;    // what is told of each; those beyond RESULT_REPORTS_MAX are only counted
    json_t* first;   // the first report, whole
};

void faults_start(struct faults* faults);
void faults_add(struct faults* faults, const struct tracing_death* death);
// One line for each that is easily found, and, unless `brief`, the verdict below it.
void faults_print(const struct faults* faults, bool brief, FILE* out);
void faults_free(struct faults* faults);

// The command line of a process that lives, in shell quoting; false when it cannot be had.
bool process_command(pid_t process, char* out, size_t size);

#endif
