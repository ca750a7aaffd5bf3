// hakstress-worker: one workload on plain malloc, the program under which bench and compare preload every allocator.
//   hakstress-worker WORKLOAD [seconds=S] [threads=T] [count=N] [seed=N] [hold=1] [PARAMETER=N ...]
// Prints one line: ops=N seconds=S ops_per_sec=N rss_peak_kib=N rss_freed_kib=N
// With hold=1 the line also has malloc_at=ADDRESS, and the worker waits until its stdin is closed, so that whoever started it can see in
// /proc/PID/maps which library that is; and it dies with its parent.
// It allocates nothing of its own: what is measured is the workload and the allocator alone.
// Exit status: 0; 1 the workload found damage (it aborts); 2 wrong usage; 3 no threads or no memory.
#include "workload/table.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { OK = 0, USAGE = 2, MISSING = 3 };

struct plan {
    const struct workload* workload;
    double seconds;
    uint64_t threads, count, seed, hold;
    uint64_t params[WORKLOAD_PARAMS_MAX];
};

static struct workload_progress progress[WORKLOAD_THREADS_MAX];

// stdio would allocate a buffer, or read one line in many pieces.
static void put(int fd, const char* format, ...) __attribute__((format(printf, 2, 3)));
static void put(int fd, const char* format, ...) {
    static char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t left = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
    for (const char* next = line; left > 0;) {
        ssize_t written = write(fd, next, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(MISSING);
        next += written;
        left -= (size_t)written;
    }
}

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
    put(STDERR_FILENO, "hakstress-worker: %s wants a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'\n", key,
        min, max, text);
    return false;
}

static bool set_param(struct plan* plan, const char* key, const char* text) {
    int index = workload_param_index(plan->workload, key);
    if (index >= 0) {
        const struct workload_param* param = &plan->workload->params[index];
        return set_whole(key, text, param->min, param->max, &plan->params[index]);
    }
    put(STDERR_FILENO, "hakstress-worker: %s has no parameter '%s'; it has: seconds threads count seed hold",
        plan->workload->name, key);
    for (size_t i = 0; plan->workload->params[i].name != NULL; i++)
        put(STDERR_FILENO, " %s", plan->workload->params[i].name);
    put(STDERR_FILENO, "\n");
    return false;
}

static bool set(struct plan* plan, const char* key, const char* text) {
    if (strcmp(key, "seconds") == 0) {
        if (parse_seconds(text, &plan->seconds)) return true;
        put(STDERR_FILENO, "hakstress-worker: seconds wants a number from 0 to 1000000, not '%s'\n", text);
        return false;
    }
    if (strcmp(key, "threads") == 0) return set_whole(key, text, 1, WORKLOAD_THREADS_MAX, &plan->threads);
    if (strcmp(key, "count") == 0) return set_whole(key, text, 0, UINT64_MAX, &plan->count);
    if (strcmp(key, "seed") == 0) return set_whole(key, text, 0, UINT64_MAX, &plan->seed);
    if (strcmp(key, "hold") == 0) return set_whole(key, text, 0, 1, &plan->hold);
    return set_param(plan, key, text);
}

static bool take_workload(struct plan* plan, const char* name) {
    plan->workload = workload_find(name);
    if (plan->workload != NULL) return true;
    char near[64];
    workload_nearest(name, near, sizeof near);
    put(STDERR_FILENO, "hakstress-worker: no workload '%s'%s%s%s\n", name, near[0] != '\0' ? "; did you mean '" : "",
        near, near[0] != '\0' ? "'?" : "");
    return false;
}

static bool take_arguments(struct plan* plan, int argc, char** argv) {
    if (argc < 2) {
        put(STDERR_FILENO, "usage: hakstress-worker WORKLOAD [KEY=VALUE ...]; see: hakstress list workloads\n");
        return false;
    }
    if (!take_workload(plan, argv[1])) return false;
    workload_standard_params(plan->workload, plan->params);
    for (int i = 2; i < argc; i++) {
        char* equals = strchr(argv[i], '=');
        if (equals == NULL) {
            put(STDERR_FILENO, "hakstress-worker: '%s' is not of the form KEY=VALUE\n", argv[i]);
            return false;
        }
        *equals = '\0';
        if (!set(plan, argv[i], equals + 1)) return false;
    }
    const char* conflict = workload_conflict(plan->workload, plan->params);
    if (conflict != NULL) put(STDERR_FILENO, "hakstress-worker: %s: %s\n", plan->workload->name, conflict);
    return conflict == NULL;
}

// A line of /proc/self/status in KiB; 0 when it cannot be read. getrusage would count what this process was before its exec.
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

static void wait_for_end_of_input(void) {
    char byte;
    ssize_t got;
    do got = read(STDIN_FILENO, &byte, 1);
    while (got > 0 || (got < 0 && errno == EINTR));
}

int main(int argc, char** argv) {
    struct plan plan = {.seconds = 1, .threads = 1, .seed = 1};
    if (!take_arguments(&plan, argc, argv)) return USAGE;
    if (plan.hold != 0) (void)prctl(PR_SET_PDEATHSIG, SIGKILL);  // only a courtesy: without it the run ends by itself
    static const _Atomic uint32_t never;
    const struct workload_run run = {
        .seconds = plan.seconds,
        .count = plan.count,
        .threads = (unsigned)plan.threads,
        .seed = plan.seed,
        .params = plan.params,
        .stop = &never,
        .progress = progress,
    };
    struct workload_result result = {0};
    int error = plan.workload->run(&run, &result);
    if (error != 0) {
        put(STDERR_FILENO, "hakstress-worker: %s: %s\n", plan.workload->name, strerror(error));
        return MISSING;
    }
    double rate = result.seconds > 0 ? (double)result.ops / result.seconds : 0;
    put(STDOUT_FILENO, "ops=%" PRIu64 " seconds=%.6f ops_per_sec=%.0f rss_peak_kib=%" PRIu64 " rss_freed_kib=%" PRIu64,
        result.ops, result.seconds, rate, status_kib("VmHWM:"), status_kib("VmRSS:"));
    // As the dynamic linker sees it: the address of a function may be that of a stub in this program.
    if (plan.hold != 0) put(STDOUT_FILENO, " malloc_at=%p", dlsym(RTLD_DEFAULT, "malloc"));
    put(STDOUT_FILENO, "\n");
    if (plan.hold != 0) wait_for_end_of_input();
    return OK;
}
