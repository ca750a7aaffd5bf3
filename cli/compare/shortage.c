#include "compare/shortage.h"

#include "workload/workload.h"

#include <stdio.h>
#include <sys/resource.h>

// On an idle machine some 1 % and 5 are usual.
static const double waited_most = 0.1, preempted_most = 50;

static double in_seconds(struct timeval time) {
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

// Seconds since the system's start in which some process waited for a processor; negative: it does not say.
static double stalled_seconds(void) {
    double microseconds = -1;
    FILE* file = fopen("/proc/pressure/cpu", "re");
    if (file == NULL) return -1;
    if (fscanf(file, "some avg10=%*f avg60=%*f avg300=%*f total=%lf", &microseconds) != 1) microseconds = -1;
    fclose(file);
    return microseconds < 0 ? -1 : microseconds * 1e-6;
}

void shortage_begin(struct shortage_watch* watch) {
    struct rusage children = {0};
    getrusage(RUSAGE_CHILDREN, &children);
    watch->began = workload_clock();
    watch->stalled = stalled_seconds();
    watch->used = in_seconds(children.ru_utime) + in_seconds(children.ru_stime);
    watch->switches = (double)children.ru_nivcsw;
}

struct shortage shortage_end(const struct shortage_watch* watch) {
    struct shortage_watch now;
    shortage_begin(&now);
    double time = now.began - watch->began, used = now.used - watch->used;
    bool known = now.stalled >= 0 && watch->stalled >= 0 && time > 0;
    struct shortage shortage = {.waited = known ? (now.stalled - watch->stalled) / time : -1,
                                .preempted = used > 0 ? (now.switches - watch->switches) / used : 0};
    shortage.is_short = known ? shortage.waited > waited_most : shortage.preempted > preempted_most;
    return shortage;
}
