// Runs the child and watches for its end, its crash, its silence, and the signals that ask to stop.
// Thread-safety: one supervision at a time, in a process with one thread. Errors: supervise returns SUPERVISED_FAILED
// after a message.
#ifndef HAKSTRESS_SUPERVISOR_H
#define HAKSTRESS_SUPERVISOR_H

#include "child/messages.h"
#include "child/shared.h"
#include "report/crash_report.h"

#include <stdio.h>

enum supervised {
    SUPERVISED_OK,
    SUPERVISED_FAULT,  // crashed, or was killed
    SUPERVISED_HANG,
    SUPERVISED_STOPPED,  // stopped on request
    SUPERVISED_FAILED,   // the child could not do its work: nothing is known about the allocator
};

struct sample {
    double time;  // seconds since the work began
    uint64_t ops, events, rss_kib;
};

struct supervision {
    // input
    const char* title;  // of the progress bar
    struct shared* shared;
    int shared_fd;
    double hang_after;
    bool quiet;
    // output
    double after;            // seconds since the work began
    struct sample* samples;  // about one per second
    size_t sample_count;
    struct messages messages;
    struct check_message check;
    bool has_check;
    uint64_t peak_rss_kib;
    json_t* report;  // of a fault or a hang
};

enum supervised supervise(struct supervision* supervision);
void supervision_free(struct supervision* supervision);

#endif
