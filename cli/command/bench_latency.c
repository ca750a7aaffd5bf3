#include "command/bench_latency.h"

#include "base/error.h"
#include "base/json.h"
#include "worker/allocators.h"
#include "worker/latency.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIGURES = 5, LINES_SIZE = 16384, LINES_MOST = 32, RUNS_MOST = 1000 };

// One allocator on one load.
struct subject {
    struct allocator allocator;
    char failure[512];
    json_t* runs;  // of each: an object of latencies by the name of the line
};

static const char* const figures[FIGURES] = {"p50", "p99", "p999", "p9999", "max"};

// --- runs

static json_t* lines_to_json(const char* text) {
    json_t* lines = json_object();
    for (const char* line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        struct latency latency;
        line += *line == '\n';
        if (latency_parse(line, &latency)) json_object_set_new(lines, latency.name, latency_to_json(&latency));
    }
    return lines;
}

static int run_once(const struct bench_latency_plan* plan, const struct bench_load* load, struct subject* subject) {
    static char lines[LINES_SIZE];
    struct worker_job job = plan->job;
    struct worker_figures ignored;
    job.workload = load->workload;
    job.params = load->params;
    job.allocator = subject->allocator.name;
    job.library = subject->allocator.path[0] != '\0' ? subject->allocator.path : NULL;
    job.keys[0] = "latency=1";
    job.keys[1] = "every=1";
    job.keys[2] = "bands=1";
    job.more = lines;
    job.more_size = sizeof lines;
    if (plan->only == NULL) {
        job.failure = subject->failure;
        job.failure_size = sizeof subject->failure;
    }
    enum worker_end end = worker_run(&job, &ignored);
    if (end == WORKER_OK) json_array_append_new(subject->runs, lines_to_json(lines));
    if (end == WORKER_STOPPED) return STATUS_STOPPED;
    if (end == WORKER_OK || plan->only == NULL) return STATUS_OK;
    return end == WORKER_MISSING ? STATUS_MISSING : STATUS_FAULT;
}

// Rounds: each allocator once, then each again. So what changes on the machine changes for all of them.
static int run_rounds(const struct bench_latency_plan* plan, const struct bench_load* load, struct subject* subjects,
                      size_t count) {
    int status = STATUS_OK;
    for (uint64_t run = 0; run < plan->runs; run++)
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            if (subjects[i].failure[0] == '\0') status = run_once(plan, load, &subjects[i]);
    return status;
}

// --- medians

static int by_value(const void* a, const void* b) {
    const uint64_t x = *(const uint64_t*)a, y = *(const uint64_t*)b;
    return (x > y) - (x < y);
}

// Over the runs that have the line. Of an even number of runs the upper one of the two in the middle. False: none has.
static bool median(const json_t* runs, const char* line, const char* figure, uint64_t* out) {
    static uint64_t values[RUNS_MOST];
    size_t count = 0, index;
    const json_t* run;
    json_array_foreach(runs, index, run) {
        const json_t* latency = json_object_get(run, line);
        if (json_is_object(latency) && count < RUNS_MOST)
            values[count++] = (uint64_t)json_integer_value(json_object_get(latency, figure));
    }
    if (count == 0) return false;
    qsort(values, count, sizeof values[0], by_value);
    *out = values[count / 2];
    return true;
}

static json_t* medians_of(const json_t* runs, const char* line) {
    json_t* medians = json_object();
    uint64_t value;
    for (size_t i = 0; i < FIGURES; i++)
        if (median(runs, line, figures[i], &value)) json_put_count(medians, figures[i], value);
    return medians;
}

// --- the names of the lines, in the order in which the worker prints them

struct names {
    const char* name[LINES_MOST];
    size_t count;
};

static bool has(const struct names* names, const char* name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0) return true;
    return false;
}

static void collect(struct names* names, const json_t* runs) {
    size_t index;
    const char* name;
    json_t *run, *latency;
    json_array_foreach(runs, index, run) {
        json_object_foreach(run, name, latency) {
            if (!has(names, name) && names->count < LINES_MOST) names->name[names->count++] = name;
        }
    }
}

static bool is_of_all_sizes(const char* name) {
    return strpbrk(name, "<>") == NULL;
}

// --- text

static void print_subject(const struct bench_latency_plan* plan, const struct subject* subject, const char* name) {
    uint64_t calls = 0, value;
    fprintf(plan->out, "    %-16s", subject->allocator.name);
    if (subject->failure[0] != '\0') {
        fprintf(plan->out, " failed: %s\n", subject->failure);
        return;
    }
    if (!median(subject->runs, name, "count", &calls)) {
        fprintf(plan->out, " %10d\n", 0);
        return;
    }
    fprintf(plan->out, " %10" PRIu64, calls);
    for (size_t i = 0; i < FIGURES; i++)
        if (median(subject->runs, name, figures[i], &value)) fprintf(plan->out, " %9" PRIu64, value);
    fprintf(plan->out, "\n");
}

static void print_load(const struct bench_latency_plan* plan, const struct bench_load* load,
                       const struct subject* subjects, size_t count, const struct names* names) {
    fprintf(plan->out, "%s: %s", load->name, load->workload->name);
    for (size_t i = 0; load->workload->params[i].name != NULL; i++)
        if (load->params[i] != load->workload->params[i].standard)
            fprintf(plan->out, " %s=%" PRIu64, load->workload->params[i].name, load->params[i]);
    fprintf(plan->out, "\n");
    for (size_t n = 0; n < names->count; n++) {
        if (!is_of_all_sizes(names->name[n]) && !plan->sizes) continue;
        fprintf(plan->out, "  %-18s %10s %9s %9s %9s %9s %9s\n", names->name[n], "calls", "p50", "p99", "p99.9",
                "p99.99", "max");
        for (size_t i = 0; i < count; i++) print_subject(plan, &subjects[i], names->name[n]);
    }
    fflush(plan->out);
}

// --- JSON

static json_t* subject_to_json(const struct subject* subject, const struct names* names) {
    json_t *object = json_object(), *medians = json_object();
    json_put_text(object, "name", subject->allocator.name);
    json_object_set_new(object, "library",
                        subject->allocator.path[0] != '\0' ? json_text(subject->allocator.path) : json_null());
    json_object_set_new(object, "failure", subject->failure[0] != '\0' ? json_text(subject->failure) : json_null());
    for (size_t i = 0; i < names->count; i++)
        json_object_set_new(medians, names->name[i], medians_of(subject->runs, names->name[i]));
    json_object_set_new(object, "medians", medians);
    json_object_set(object, "runs", subject->runs);
    return object;
}

static json_t* load_to_json(const struct bench_load* load, const struct subject* subjects, size_t count,
                            const struct names* names) {
    json_t *row = json_object(), *params = json_object(), *allocators = json_array();
    for (size_t i = 0; load->workload->params[i].name != NULL; i++)
        json_put_count(params, load->workload->params[i].name, load->params[i]);
    for (size_t i = 0; i < count; i++) json_array_append_new(allocators, subject_to_json(&subjects[i], names));
    json_put_text(row, "situation", load->name);
    json_put_text(row, "workload", load->workload->name);
    json_object_set_new(row, "params", params);
    json_object_set_new(row, "allocators", allocators);
    return row;
}

// --- all

static size_t choose(const struct bench_latency_plan* plan, struct allocator found[ALLOCATORS_MOST]) {
    if (plan->only == NULL) return allocators_find(found);
    const char* slash = strrchr(plan->only, '/');
    found[0].name = plan->only[0] == '\0' ? "glibc" : slash != NULL ? slash + 1 : plan->only;
    snprintf(found[0].path, sizeof found[0].path, "%s", plan->only);
    return 1;
}

static int run_load(const struct bench_latency_plan* plan, const struct bench_load* load) {
    static struct allocator found[ALLOCATORS_MOST];
    static struct subject subjects[ALLOCATORS_MOST];
    struct names names = {.count = 0};
    const size_t count = choose(plan, found);
    for (size_t i = 0; i < count; i++) subjects[i] = (struct subject){.allocator = found[i], .runs = json_array()};
    int status = run_rounds(plan, load, subjects, count);
    for (size_t i = 0; i < count; i++) collect(&names, subjects[i].runs);
    if (names.count > 0) {
        print_load(plan, load, subjects, count, &names);
        json_array_append_new(plan->rows, load_to_json(load, subjects, count, &names));
    }
    for (size_t i = 0; i < count; i++) json_decref(subjects[i].runs);
    return status;
}

int bench_latency(const struct bench_latency_plan* plan) {
    int status = STATUS_OK;
    for (size_t i = 0; i < plan->load_count && status == STATUS_OK; i++) status = run_load(plan, &plan->loads[i]);
    return status;
}
