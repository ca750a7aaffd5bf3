// The crash report: made once, as JSON, by the supervisor; the text is always rendered from the JSON, so that a saved report reads
// the same later.
// Thread-safety: none needed. Errors: what could not be had is said in the report.
#ifndef HAKSTRESS_CRASH_REPORT_H
#define HAKSTRESS_CRASH_REPORT_H

#include "child/messages.h"
#include "child/shared.h"

#include <jansson.h>
#include <stdio.h>

#define CRASH_REPORT_SCHEMA 2

enum report_reason { REPORT_CRASH, REPORT_DEATH, REPORT_HANG };

struct report_input {
    enum report_reason reason;
    const struct crash_record* crash;           // all zero where nothing was copied
    HakRingFile* ring;                          // the process's debug rings
    const struct child_statistics* statistics;  // NULL: none
    pid_t child;                                // 0: gone
    int died_of;                                // the signal, when the child is gone
    double after;                               // seconds since the work began
    const char* messages;                       // the end of the child's stderr
    const struct check_message* check;          // NULL: none
    const char* workload;                       // of hakstress; NULL: a program of somebody else
    // of a program of the user's
    const char* command;  // NULL: it is a workload of ours
    pid_t process;        // also when it is gone; `child` may be one of its threads
    bool unwatched;       // nobody could look at it when it died
};

// The caller adds what run it was, and owns it.
json_t* crash_report_make(const struct report_input* input);

void crash_report_print(const json_t* report, FILE* out);

#endif
