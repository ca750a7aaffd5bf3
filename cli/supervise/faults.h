// The processes that died under `hakstress run`. Each gets a crash report, which is written while its memory is still
// there.
// Thread-safety: none needed. Errors: the report says what is missing. A report that cannot be written is still
// counted.
#ifndef HAKSTRESS_FAULTS_H
#define HAKSTRESS_FAULTS_H

#include "args/args.h"
#include "report/crash_report.h"
#include "supervise/ring_dir.h"
#include "supervise/tracing.h"

#include <jansson.h>
#include <stdio.h>

struct faults {
    const struct args* args;
    const struct ring_dir* rings;
    const char* again;    // the command line of this run
    const char* command;  // the command line of the command alone
    pid_t process;        // of the command
    double began;
    unsigned count;  // how many processes died of a fault
    json_t* list;    // a description of each; those beyond RESULT_REPORTS_MAX are only counted
    json_t* first;   // the whole first report
    unsigned files;  // reports that were written, RESULT_REPORTS_MAX at most
    json_t* looks;   // a description of each report of a living process
};

void faults_start(struct faults* faults);
void faults_add(struct faults* faults, const struct tracing_death* death);
// Reports a living process, at once: to a file, and in words to stderr; one line if `brief`.
void faults_look(struct faults* faults, pid_t process, enum report_reason reason, bool brief);
// One line for each that scripts can find and, unless `brief`, the verdict below it.
void faults_print(const struct faults* faults, bool brief, FILE* out);
void faults_free(struct faults* faults);

// The command line of a living process, in shell quoting; false if it cannot be read.
bool process_command(pid_t process, char* out, size_t size);

#endif
