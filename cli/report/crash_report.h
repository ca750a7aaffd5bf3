// The crash report. The supervisor makes it once, as JSON. The text is always made from the JSON, so a saved report
// reads the same later.
// Thread-safety: none needed. Errors: the report says what is missing.
#ifndef HAKSTRESS_CRASH_REPORT_H
#define HAKSTRESS_CRASH_REPORT_H

#include "child/messages.h"
#include "child/shared.h"
#include "process/process_memory.h"

#include <jansson.h>
#include <stdio.h>

#define CRASH_REPORT_SCHEMA 2

// From REPORT_HANG on, the process lives.
enum report_reason { REPORT_CRASH, REPORT_DEATH, REPORT_HANG, REPORT_TIMEOUT, REPORT_ASKED };

struct report_input {
    enum report_reason reason;
    const CrashRecord* crash;                   // all zero if nothing was copied
    HakRingFile* ring;                          // the process's debug rings
    const struct child_statistics* statistics;  // NULL: none
    pid_t child;                                // 0: gone
    int died_of;                                // the signal, if the child is gone
    double after;                               // seconds since the work began
    const char* messages;                       // the end of the child's stderr
    const struct check_message* check;          // NULL: none
    const char* workload;                       // of hakstress; NULL: the user's program
    // for the user's program
    const char* command;  // NULL: a workload of hakstress
    pid_t process;        // set even when it is gone; `child` may be one of its threads
    bool held;            // it lives, and this process has halted all its threads
    bool stopped;         // a signal had stopped it before
    // for a core dump
    const struct process_memory* memory;  // NULL: a process
    json_t* backtrace;                    // of the thread that died
    const char* backtrace_problem;        // NULL: none
    json_t* threads;                      // the others
    uint64_t address;                     // to be explained; 0: none
};

// The caller adds the description of the run, and owns the report.
json_t* crash_report_make(const struct report_input* input);

void crash_report_print(const json_t* report, FILE* out);

#endif
