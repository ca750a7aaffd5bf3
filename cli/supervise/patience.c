#include "supervise/patience.h"

#include "workload/workload.h"

#include <math.h>
#include <time.h>

static const double often = 0.1, seldom = 1;
static const double grace = 2;               // from SIGTERM to SIGKILL
static const double busy_per_second = 1e-3;  // a process that uses less of the processor waits

// Did anything move?

static double processor_time(pid_t process) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static void add_process(void* context, pid_t process) {
    struct patience* patience = context;
    patience->used += processor_time(process);
    patience->events += ring_dir_events(patience->faults->rings, process);
}

static void measure(struct patience* patience) {
    patience->used = 0;
    patience->events = 0;
    tracing_each(add_process, patience);
}

// The pause since the last tick counts as silence, but a long one only in part: this process was stopped meanwhile.
static void watch_silence(struct patience* patience, double now) {
    double used = patience->used, passed = now - patience->last_tick;
    uint64_t events = patience->events;
    measure(patience);
    bool moved = events != patience->events || fabs(patience->used - used) > busy_per_second * passed;
    patience->silent = moved ? 0 : patience->silent + fmin(passed, 2 * seldom);
    if (moved) patience->hang_told = false;
    if (patience->silent < patience->hang_after || patience->hang_told) return;
    patience->hang_told = true;
    patience_report(patience, REPORT_HANG);
    measure(patience);
}

// Reports

struct each {
    struct patience* patience;
    enum report_reason reason;
};

static void report_one(void* context, pid_t process) {
    const struct each* each = context;
    faults_look(each->patience->faults, process, each->reason, each->patience->quiet);
}

void patience_report(struct patience* patience, enum report_reason reason) {
    tracing_halt(patience->tracing);
    tracing_each(report_one, &(struct each){patience, reason});
    tracing_release(patience->tracing);
}

// The end

static void end_it(struct patience* patience, double now) {
    patience->timed_out = true;
    patience->asked_to_end = now;
    patience_report(patience, REPORT_TIMEOUT);
    tracing_signal_all(SIGTERM);
    tracing_signal_all(SIGCONT);
}

void patience_start(struct patience* patience) {
    patience->last_tick = workload_clock();
}

double patience_tick(struct patience* patience) {
    double now = workload_clock(), end = patience->faults->began + patience->timeout;
    if (patience->timed_out) {
        patience->killed = now > patience->asked_to_end + grace;
        if (patience->killed) tracing_signal_all(SIGKILL);
        return often;
    }
    if (patience->timeout > 0 && now >= end) {
        end_it(patience, now);
        return often;
    }
    double next = patience->timeout > 0 ? end - now : HUGE_VAL;
    if (patience->hang_after > 0) {
        watch_silence(patience, now);
        next = fmin(next, fmin(seldom, patience->hang_after / 4));
    }
    patience->last_tick = now;
    return next;
}
