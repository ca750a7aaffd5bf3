// hakstress-worker: one workload on plain malloc. bench and compare preload every allocator under this program.
//   hakstress-worker WORKLOAD [seconds=S] [threads=T] [count=N] [seed=N]
//                    [hold=1] [latency=1] [rss_every=MS] [limit=1] [PARAMETER=N ...]
// Prints one line: ops=N seconds=S ops_per_sec=N rss_peak_kib=N rss_freed_kib=N
// hold=1: the line also has malloc_at=ADDRESS. The worker then waits until its stdin is closed, so that the process
// that started it can see in /proc/PID/maps which library that is. It dies with its parent.
// latency=1: two lines follow, for one call in 16 (see workload/timed.h), in nanoseconds; `free` like `malloc`:
//   latency malloc p50=NS p99=NS p999=NS max=NS count=N curve=PERCENT:NS,PERCENT:NS,...
// rss_every=MS: the last line is: rss SECONDS:KIB,SECONDS:KIB,...
// limit=1: runs the floor of this machine instead, see workload/limit.h. Status 4 and no line if the workload has none.
// It allocates nothing itself: only the workload and the allocator are measured. The clock and the floor are in two
// companion programs beside it, hakstress-worker-timed and hakstress-worker-limit, which it executes.
// Exit status: 0; 1 the workload found damage (it aborts); 2 wrong usage; 3 no threads, no memory or no companion; 4 no
// floor.
#include "worker/crash.h"
#include "worker/output.h"
#include "worker/rss.h"
#include "workload/table.h"
#ifdef WORKLOAD_TIMED
#include "workload/timed.h"
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { OK = 0, USAGE = 2, MISSING = 3, NO_LIMIT = 4 };

struct plan {
    const struct workload* workload;
    double seconds;
    uint64_t threads, count, seed, hold, latency, rss_every, limit;
    uint64_t params[WORKLOAD_PARAMS_MAX];
};

static struct workload_progress progress[WORKLOAD_THREADS_MAX];

static bool parse_whole(const char* text, uint64_t min, uint64_t max, uint64_t* out) {
    char* end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || errno != 0 || *end != '\0' || number < min || number > max) return false;
    *out = number;
    return true;
}

static bool parse_seconds(const char* text, double* out) {
    char* end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= 0 && number <= 1e6)) return false;
    *out = number;
    return true;
}

static bool set_whole(const char* key, const char* text, uint64_t min, uint64_t max, uint64_t* out) {
    if (parse_whole(text, min, max, out)) return true;
    worker_put(STDERR_FILENO, "hakstress-worker: %s must be a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'\n",
               key, min, max, text);
    return false;
}

static bool set_param(struct plan* plan, const char* key, const char* text) {
    int index = workload_param_index(plan->workload, key);
    if (index >= 0) {
        const struct workload_param* param = &plan->workload->params[index];
        return set_whole(key, text, param->min, param->max, &plan->params[index]);
    }
    worker_put(
        STDERR_FILENO,
        "hakstress-worker: %s has no parameter '%s'; it has: seconds threads count seed hold latency rss_every limit",
        plan->workload->name, key);
    for (size_t i = 0; plan->workload->params[i].name != NULL; i++)
        worker_put(STDERR_FILENO, " %s", plan->workload->params[i].name);
    worker_put(STDERR_FILENO, "\n");
    return false;
}

static bool set(struct plan* plan, const char* key, const char* text) {
    if (strcmp(key, "seconds") == 0) {
        if (parse_seconds(text, &plan->seconds)) return true;
        worker_put(STDERR_FILENO, "hakstress-worker: seconds must be a number from 0 to 1000000, not '%s'\n", text);
        return false;
    }
    if (strcmp(key, "threads") == 0 && plan->workload->own_threads != 0) {
        worker_put(STDERR_FILENO, "hakstress-worker: %s runs with the threads that were recorded; leave out threads=\n",
                   plan->workload->name);
        return false;
    }
    if (strcmp(key, "threads") == 0) return set_whole(key, text, 1, WORKLOAD_THREADS_MAX, &plan->threads);
    if (strcmp(key, "count") == 0) return set_whole(key, text, 0, UINT64_MAX, &plan->count);
    if (strcmp(key, "seed") == 0) return set_whole(key, text, 0, UINT64_MAX, &plan->seed);
    if (strcmp(key, "hold") == 0) return set_whole(key, text, 0, 1, &plan->hold);
    if (strcmp(key, "latency") == 0) return set_whole(key, text, 0, 1, &plan->latency);
    if (strcmp(key, "limit") == 0) return set_whole(key, text, 0, 1, &plan->limit);
    if (strcmp(key, "rss_every") == 0) return set_whole(key, text, 0, 60000, &plan->rss_every);
    return set_param(plan, key, text);
}

static bool take_workload(struct plan* plan, const char* name) {
    plan->workload = workload_find(name);
    if (plan->workload != NULL) return true;
    char near[64];
    workload_nearest(name, near, sizeof near);
    worker_put(STDERR_FILENO, "hakstress-worker: there is no workload '%s'%s%s%s\n", name,
               near[0] != '\0' ? "; did you mean '" : "", near, near[0] != '\0' ? "'?" : "");
    return false;
}

static bool take_arguments(struct plan* plan, int argc, char** argv) {
    if (argc < 2) {
        worker_put(STDERR_FILENO, "usage: hakstress-worker WORKLOAD [KEY=VALUE ...]; see: hakstress list workloads\n");
        return false;
    }
    if (!take_workload(plan, argv[1])) return false;
    workload_standard_params(plan->workload, plan->params);
    for (int i = 2; i < argc; i++) {
        char* equals = strchr(argv[i], '=');
        if (equals == NULL) {
            worker_put(STDERR_FILENO, "hakstress-worker: '%s' is not of the form KEY=VALUE\n", argv[i]);
            return false;
        }
        *equals = '\0';
        const bool taken = set(plan, argv[i], equals + 1);
        *equals = '=';  // a companion parses it again
        if (!taken) return false;
    }
    const char* conflict = workload_conflict(plan->workload, plan->params);
    if (plan->latency != 0 && plan->limit != 0) conflict = "latency and limit cannot be combined";
    if (conflict != NULL) worker_put(STDERR_FILENO, "hakstress-worker: %s: %s\n", plan->workload->name, conflict);
    return conflict == NULL;
}

// A line of /proc/self/status in KiB; 0 if it cannot be read. getrusage would also count this process before its exec.
static uint64_t status_kib(const char* field) {
    static char text[4096];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = '\0';
    const char* line = strstr(text, field);
    return line != NULL ? strtoull(line + strlen(field), NULL, 10) : 0;
}

// Executes the companion beside this program, in this process and with the same library preloaded.
static int become(const char* name, char** argv) {
    static char path[PATH_MAX + 64];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
    if (length < 0) length = 0;
    path[length] = '\0';
    char* slash = strrchr(path, '/');
    snprintf(slash != NULL ? slash + 1 : path, sizeof path - PATH_MAX, "%s", name);
    execv(path, argv);
    worker_put(STDERR_FILENO, "hakstress-worker: cannot start %s: %s\n", path, strerror(errno));
    return MISSING;
}

// Which of the three programs runs decides what malloc means for the workloads. -1: this one is right.
static int become_the_right_one(const struct plan* plan, char** argv) {
    if (plan->limit != 0 && plan->workload->limit == NULL) {
        worker_put(STDERR_FILENO, "hakstress-worker: no floor is known for %s\n", plan->workload->name);
        return NO_LIMIT;
    }
#if defined(WORKLOAD_TIMED)
    const char* right = plan->latency != 0 ? NULL : "hakstress-worker";
#elif defined(WORKLOAD_LIMIT)
    const char* right = plan->limit != 0 ? NULL : "hakstress-worker";
#else
    const char* right = plan->latency != 0 ? "hakstress-worker-timed" : NULL;
    if (plan->limit != 0) right = "hakstress-worker-limit";
#endif
    return right != NULL ? become(right, argv) : -1;
}

#ifdef WORKLOAD_TIMED
static uint64_t nanoseconds_at(const struct histogram* histogram, double percent) {
    return (uint64_t)(timed_nanoseconds(histogram_at(histogram, percent)) + 0.5);
}

static void put_latency(const char* name, enum timed_kind kind) {
    static const double curve[] = {50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100};
    const struct histogram* histogram = timed_end(kind);
    worker_put(STDOUT_FILENO,
               "latency %s p50=%" PRIu64 " p99=%" PRIu64 " p999=%" PRIu64 " max=%" PRIu64 " count=%" PRIu64 " curve=",
               name, nanoseconds_at(histogram, 50), nanoseconds_at(histogram, 99), nanoseconds_at(histogram, 99.9),
               nanoseconds_at(histogram, 100), histogram_count(histogram));
    for (size_t i = 0; i < sizeof curve / sizeof curve[0]; i++)
        worker_put(STDOUT_FILENO, "%s%g:%" PRIu64, i > 0 ? "," : "", curve[i], nanoseconds_at(histogram, curve[i]));
    worker_put(STDOUT_FILENO, "\n");
}
#endif

static void put_rss(void) {
    size_t count;
    const struct rss_point* points = rss_end(&count);
    worker_put(STDOUT_FILENO, "rss ");
    for (size_t i = 0; i < count; i++)
        worker_put(STDOUT_FILENO, "%s%.3f:%" PRIu64, i > 0 ? "," : "", points[i].seconds, points[i].kib);
    worker_put(STDOUT_FILENO, "\n");
}

static void put_result(const struct plan* plan, const struct workload_result* result) {
    const double rate = result->seconds > 0 ? (double)result->ops / result->seconds : 0;
    worker_put(STDOUT_FILENO,
               "ops=%" PRIu64 " seconds=%.6f ops_per_sec=%.0f rss_peak_kib=%" PRIu64 " rss_freed_kib=%" PRIu64,
               result->ops, result->seconds, rate, status_kib("VmHWM:"), status_kib("VmRSS:"));
    // As the dynamic linker sees it: the address of a function may be that of a stub in this program.
    if (plan->hold != 0) worker_put(STDOUT_FILENO, " malloc_at=%p", dlsym(RTLD_DEFAULT, "malloc"));
    worker_put(STDOUT_FILENO, "\n");
#ifdef WORKLOAD_TIMED
    put_latency("malloc", TIMED_MALLOC);
    put_latency("free", TIMED_FREE);
#endif
    if (plan->rss_every != 0) put_rss();
}

// 0, or an errno.
static int begin_measuring(const struct plan* plan) {
    int error = plan->rss_every != 0 ? rss_begin(plan->rss_every) : 0;
#ifdef WORKLOAD_TIMED
    if (error == 0) error = timed_begin();
#endif
    return error;
}

static int run(const struct plan* plan, struct workload_result* result) {
    static const _Atomic uint32_t never;
    const struct workload_run run = {
        .seconds = plan->seconds,
        .count = plan->count,
        .threads = (unsigned)plan->threads,
        .seed = plan->seed,
        .params = plan->params,
        .stop = &never,
        .progress = progress,
    };
    int error = begin_measuring(plan);
    return error != 0 ? error : plan->workload->run(&run, result);
}

// Before the constructors of the preloaded library, which may crash too.
static void watch_crashes(int argc, char** argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "hold=1") == 0) worker_crash_watch();
}
__attribute__((section(".preinit_array"), used)) static void (*const watch_crashes_first)(int, char**) = watch_crashes;

int main(int argc, char** argv) {
    struct plan plan = {.seconds = 1, .threads = 1, .seed = 1};
    if (!take_arguments(&plan, argc, argv)) return USAGE;
    int status = become_the_right_one(&plan, argv);
    if (status >= 0) return status;
    if (plan.hold != 0) (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // not essential: without it the run ends by itself
    struct workload_result result = {0};
    int error = run(&plan, &result);
    if (error != 0) {
        worker_put(STDERR_FILENO, "hakstress-worker: %s: %s\n", plan.workload->name, strerror(error));
        return MISSING;
    }
    put_result(&plan, &result);
    if (plan.hold != 0) worker_wait_for_end_of_input();
    worker_crash_ignore();
    return OK;
}
