// How long `hakstress run` waits for its command: reports of the living processes when the time is over, when nothing
// moves, or when the user asks.
// Thread-safety: none needed; called between two stops of the watched threads. Errors: a report says what is missing.
#ifndef HAKSTRESS_PATIENCE_H
#define HAKSTRESS_PATIENCE_H

#include "supervise/faults.h"
#include "supervise/tracing.h"

struct patience {
    // input
    struct faults* faults;
    struct tracing* tracing;
    double timeout, hang_after;  // seconds; 0: not asked for
    bool quiet;                  // only one line for each report
    // output
    bool timed_out;
    bool killed;  // by SIGKILL, because SIGTERM did not end it
    // for patience.c
    double last_tick, silent, asked_to_end;
    double used;      // processor time of all watched processes
    uint64_t events;  // of their rings
    bool hang_told;
};

void patience_start(struct patience* patience);
// For struct tracing: after how many seconds it wants to be called again.
double patience_tick(struct patience* patience);
// Reports all watched processes at once.
void patience_report(struct patience* patience, enum report_reason reason);

#endif
