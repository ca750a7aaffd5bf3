#include "command/bench_contention.h"

#include "base/error.h"
#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_SIZE = 1 << 20, NAME_SIZE = 32 };

static const double transfer_ns = 100;  // a line that moves from one core to another
static const double cost = 0.1;         // of the time

// The worst one of the locks, or of the lines; per operation.
struct worst {
    char name[NAME_SIZE];
    double times, held_ns;
};

struct counts {
    uint64_t ops;
    struct worst lock, line;  // the lock held longest in all, the line written most often
};

static void take_line(const char* text, struct counts* counts) {
    char name[NAME_SIZE];
    unsigned long times, held;
    const double ops = counts->ops > 0 ? (double)counts->ops : 1;
    if (sscanf(text, "lock %31s taken=%lu held_ns=%lu", name, &times, &held) == 3) {
        struct worst* worst = &counts->lock;
        if ((double)held / ops < worst->held_ns) return;
        *worst = (struct worst){.times = (double)times / ops, .held_ns = (double)held / ops};
        memcpy(worst->name, name, sizeof name);
    } else if (sscanf(text, "line %31s writes=%lu", name, &times) == 2) {
        struct worst* worst = &counts->line;
        if ((double)times / ops < worst->times) return;
        *worst = (struct worst){.times = (double)times / ops};
        memcpy(worst->name, name, sizeof name);
    }
}

static enum worker_end count(const struct bench_contention_plan* plan, const struct bench_load* load, uint64_t threads,
                             struct counts* counts) {
    static char lines[LINES_SIZE];
    struct worker_job job = plan->job;
    struct worker_figures figures;
    job.workload = load->workload;
    job.params = load->params;
    job.threads = threads;
    job.library = plan->counting;
    job.keys[0] = "contention=1";
    job.more = lines;
    job.more_size = sizeof lines;
    enum worker_end end = worker_run(&job, &figures);
    *counts = (struct counts){.ops = figures.ops, .lock.name = "none", .line.name = "none"};
    if (end != WORKER_OK) return end;
    for (const char* line = lines; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        take_line(line, counts);
    }
    return end;
}

// CPU time of an operation under the library that does not count.
static enum worker_end time_it(const struct bench_contention_plan* plan, const struct bench_load* load,
                               uint64_t threads, double* cpu_ns) {
    struct worker_job job = plan->job;
    struct worker_figures figures;
    job.workload = load->workload;
    job.params = load->params;
    job.threads = threads;
    enum worker_end end = worker_run(&job, &figures);
    if (end == WORKER_OK && figures.ops > 0)
        *cpu_ns = 1e9 * (figures.user_seconds + figures.system_seconds) / (double)figures.ops;
    return end;
}

static int status_of(enum worker_end end) {
    if (end == WORKER_OK) return STATUS_OK;
    if (end == WORKER_STOPPED) return STATUS_STOPPED;
    return end == WORKER_MISSING ? STATUS_MISSING : STATUS_FAULT;
}

// At how many cores the lock is held, or the line moves, for a tenth of the time. Infinity: neither is used.
static double cores(double cpu_ns, double held_ns, double writes) {
    return cost * cpu_ns / fmax(held_ns, writes * transfer_ns);
}

static void note(const struct bench_contention_plan* plan, const struct bench_load* load, uint64_t threads,
                 double cpu_ns, const struct counts* counts, double held_ns) {
    const double estimate = cores(cpu_ns, held_ns, counts->line.times);
    json_t* row = json_object();
    json_put_text(row, "workload", load->workload->name);
    json_put_count(row, "threads", threads);
    json_put_count(row, "ops", counts->ops);
    json_put_real(row, "cpu_ns_per_op", cpu_ns);
    json_put_text(row, "lock", counts->lock.name);
    json_put_real(row, "lock_taken_per_million", 1e6 * counts->lock.times);
    json_put_real(row, "lock_held_ns_per_op", held_ns);
    json_put_text(row, "line", counts->line.name);
    json_put_real(row, "line_writes_per_million", 1e6 * counts->line.times);
    if (isfinite(estimate)) json_put_real(row, "cores", estimate);
    json_array_append_new(plan->rows, row);
    fprintf(plan->out, "%-14s %7" PRIu64 " %9.0f  %-14s %11.1f %9.3f  %-16s %11.1f %9.0f\n", load->workload->name,
            threads, cpu_ns, counts->lock.name, 1e6 * counts->lock.times, held_ns, counts->line.name,
            1e6 * counts->line.times, estimate);
    fflush(plan->out);
}

// How long a lock is held is measured with two threads, where few wait for each other: with more threads than
// processors, who holds a lock may have to wait for a processor.
static int run_load(const struct bench_contention_plan* plan, const struct bench_load* load) {
    static const uint64_t threads[] = {2, 8, 32, 128};
    double held_once = 0;
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct counts counts;
        double cpu_ns = 0;
        enum worker_end end = count(plan, load, threads[i], &counts);
        if (end == WORKER_OK) end = time_it(plan, load, threads[i], &cpu_ns);
        if (end != WORKER_OK) return status_of(end);
        if (i == 0 && counts.lock.times > 0) held_once = counts.lock.held_ns / counts.lock.times;
        note(plan, load, threads[i], cpu_ns, &counts, held_once * counts.lock.times);
    }
    return STATUS_OK;
}

int bench_contention(const struct bench_contention_plan* plan) {
    int status = STATUS_OK;
    fprintf(plan->out, "%-14s %7s %9s  %-14s %11s %9s  %-16s %11s %9s\n", "workload", "threads", "cpu ns/op",
            "worst lock", "taken /1e6", "held ns", "worst line", "writes /1e6", "cores");
    for (size_t i = 0; i < plan->load_count && status == STATUS_OK; i++) status = run_load(plan, &plan->loads[i]);
    return status;
}
