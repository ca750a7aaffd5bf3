// hakstress bench: workloads under one malloc library, every run a fresh process.
#include "args/args.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/json.h"
#include "command/commands.h"
#include "report/crash_save.h"
#include "report/signals.h"
#include "results/results.h"
#include "supervise/worker_report.h"
#include "worker/run.h"
#include "workload/table.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS_MAX = 1000 };

static const struct option_spec bench_options[] = {
    {"lib", "FILE|none", NULL, NULL,
     "library to preload (default ../lib/libhakmem.so beside hakstress); none: use the C library's malloc"},
    {"runs", "N", NULL, "3", "runs of each workload; the figures are medians"},
    {"seconds", "S", NULL, "1", "length of a run"},
    {"count", "N", NULL, "0",
     "end each run after N operations per thread, whatever --seconds says; 0: after --seconds"},
    {"threads", "T", NULL, "1", "threads; prodcons, xmalloc and idle-owner: pairs of threads"},
    {"latency", NULL, NULL, NULL, "one more run of each workload, which times one malloc and one free in 16"},
    // Parameters of workloads. Each applies to the workloads that have it.
    {"min", "BYTES", NULL, NULL, "smallest block: larson larson-sized rptest mstress alloctest mid calloc"},
    {"max", "BYTES", NULL, NULL, "largest block: larson larson-sized rptest mstress alloctest mid calloc"},
    {"size", "BYTES", NULL, NULL,
     "size of a block: pair batch batch-lifo batch-random prodcons xmalloc churn big trivial cache-scratch "
     "cache-thrash"},
    {"chunks", "N", NULL, NULL, "live blocks of a thread: larson larson-sized"},
    {"rounds", "N", NULL, NULL,
     "a thread hands over to the next after chunks * rounds replacements: larson larson-sized"},
    {"blocks", "N", NULL, NULL,
     "number of blocks: batch batch-lifo batch-random rptest mstress churn mid calloc trivial"},
    {"cross", "N", NULL, NULL, "one block in N is freed by another thread: rptest"},
    {"queue", "N", NULL, NULL, "length of the queue: prodcons"},
    {"burst", "N", NULL, NULL, "blocks handed over at a time: prodcons"},
    {"batch", "N", NULL, NULL, "blocks in a batch: xmalloc"},
    {"batches", "N", NULL, NULL, "batches per producer: xmalloc"},
    {"from", "BYTES", NULL, NULL, "first size of the buffer: growth"},
    {"to", "BYTES", NULL, NULL, "last size of the buffer: growth"},
    {"percent", "N", NULL, NULL, "each size as a percentage of the size before: growth"},
    {"bytes", "BYTES", NULL, NULL, "live bytes in each phase: fragment idle-owner"},
    {"first", "BYTES", NULL, NULL, "size of a block in the first phase: fragment idle-owner"},
    {"second", "BYTES", NULL, NULL, "size of a block in the second phase: fragment idle-owner"},
    {"places", "N", NULL, NULL, "slots for blocks: alloctest"},
    {"writes", "N", NULL, NULL, "times that each byte is written to: cache-scratch cache-thrash"},
    {"keep", "N", NULL, NULL, "one block in N outlives the first phase: fragment"},
    {.name = NULL},
};

struct bench {
    unsigned reports;
    const struct args* args;
    struct worker_job job;  // without workload and params
    uint64_t runs;
    FILE* out;
    json_t* rows;
};

static volatile sig_atomic_t stopped;

static void note_stop(int signal) {
    (void)signal;
    stopped = 1;
}

// Without SA_RESTART, so that a signal ends a read in progress.
static bool catch_stops(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note_stop};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i], &action, NULL) == 0) continue;
        missing_error("cannot catch signal %d: %s", signals[i], strerror(errno));
        return false;
    }
    return true;
}

// The workloads and their parameters

// A workload in compare's form: NAME:PARAMETER=N,PARAMETER=N.
static int parameters_are_options(const char* operand, size_t name) {
    char options[256];
    size_t used = 0;
    for (const char* at = operand + name; *at != '\0' && used + sizeof " --" < sizeof options; at++) {
        const char one[] = {*at == '=' ? ' ' : *at, '\0'};
        used += (size_t)snprintf(options + used, sizeof options - used, "%s", *at == ':' || *at == ',' ? " --" : one);
    }
    return usage_error("there is no workload '%s'; bench takes parameters as options: hakstress bench %.*s%s", operand,
                       (int)name, operand, options);
}

// Returns 0 if the workload has them all.
static int unknown_parameter(const char* operand, const struct workload* workload) {
    const char* at = operand + strcspn(operand, ":");
    while (*at != '\0') {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "=,"), at + 1);
        if (workload_param_index(workload, name) < 0 && strcmp(name, "threads") != 0)
            return usage_error("%s: %s has no parameter '%s'; see: hakstress list workloads", operand, workload->name,
                               name);
        at += 1 + strcspn(at + 1, ",");
    }
    return 0;
}

static int unknown_workload(const char* operand) {
    char near[64], name[64];
    const size_t length = strcspn(operand, ":");
    snprintf(name, sizeof name, "%.*s", (int)length, operand);
    const struct workload* workload = workload_find(name);
    if (operand[length] != '\0' && operand[length + 1] != '\0' && workload != NULL) {
        const int error = unknown_parameter(operand, workload);
        return error ? error : parameters_are_options(operand, length);
    }
    workload_nearest(operand, near, sizeof near);
    if (near[0] == '\0') return usage_error("there is no workload '%s'; see: hakstress list workloads", operand);
    return usage_error("there is no workload '%s'; did you mean '%s'? See: hakstress list workloads", operand, near);
}

static size_t chosen_count(const struct args* args) {
    size_t count = 0;
    if (args->operand_count > 0) return (size_t)args->operand_count;
    while (workloads[count] != NULL) count++;
    return count;
}

static const struct workload* chosen(const struct args* args, size_t index) {
    return args->operand_count > 0 ? workload_find(args->operands[index]) : workloads[index];
}

static bool take_params(const struct args* args, const struct workload* workload,
                        uint64_t values[WORKLOAD_PARAMS_MAX]) {
    workload_standard_params(workload, values);
    for (size_t i = 0; workload->params[i].name != NULL; i++) {
        const struct workload_param* param = &workload->params[i];
        if (args_is_set(args, param->name) && !args_number(args, param->name, param->min, param->max, &values[i]))
            return false;
    }
    const char* conflict = workload_conflict(workload, values);
    if (conflict != NULL) usage_error("%s: %s", workload->name, conflict);
    return conflict == NULL;
}

static bool is_param_option(const struct option_spec* spec) {
    for (const struct workload* const* w = workloads; *w != NULL; w++)
        if (workload_param_index(*w, spec->name) >= 0) return true;
    return false;
}

static bool somebody_takes(const struct args* args, const char* option) {
    for (size_t i = 0; i < chosen_count(args); i++)
        if (workload_param_index(chosen(args, i), option) >= 0) return true;
    return false;
}

// An option on the command line must be a parameter of some chosen workload. One in a profile may be meant for others.
static int check_options(const struct args* args) {
    for (const struct option_spec* spec = bench_options; spec->name != NULL; spec++) {
        if (!is_param_option(spec) || args_source(args, spec->name) != FROM_COMMAND_LINE) continue;
        if (!somebody_takes(args, spec->name))
            return usage_error("--%s is not a parameter of %s; see: hakstress list workloads", spec->name,
                               args->operand_count == 1 ? args->operands[0] : "these workloads");
    }
    return STATUS_OK;
}

static int check_workloads(const struct args* args) {
    for (int i = 0; i < args->operand_count; i++)
        if (workload_find(args->operands[i]) == NULL) return unknown_workload(args->operands[i]);
    for (size_t i = 0; i < chosen_count(args); i++) {
        uint64_t values[WORKLOAD_PARAMS_MAX];
        if (!take_params(args, chosen(args, i), values)) return STATUS_USAGE;
        if (chosen(args, i)->own_threads != 0 && args_source(args, "threads") == FROM_COMMAND_LINE)
            return usage_error("%s runs with the threads that were recorded; leave out --threads",
                               chosen(args, i)->name);
    }
    return check_options(args);
}

// Everything else that a run needs

static bool take_seconds(const struct args* args, double* seconds) {
    const char* text = args_text(args, "seconds");
    char* end;
    *seconds = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(*seconds) && *seconds > 0 && *seconds <= 86400) return true;
    usage_error("--seconds must be a number above 0 and at most 86400, not '%s'", text);
    return false;
}

static bool take_seed(const struct args* args, uint64_t* seed) {
    if (args_is_set(args, "seed")) return args_number(args, "seed", 0, UINT64_MAX, seed);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *seed = (uint64_t)now.tv_nsec;
    return true;
}

static int find_library(const struct args* args, char* path, size_t size, const char** library) {
    const char* text = args_text(args, "lib");
    *library = path;
    if (text == NULL) return library_beside(LIBHAKMEM, path, size) ? STATUS_OK : STATUS_MISSING;
    if (strcmp(text, "none") == 0) {
        *library = NULL;
        return STATUS_OK;
    }
    char resolved[PATH_MAX];
    if (realpath(text, resolved) == NULL) return missing_error("cannot find the library %s: %s", text, strerror(errno));
    snprintf(path, size, "%s", resolved);
    return STATUS_OK;
}

// Rows

static int by_value(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

struct samples {
    double values[RUNS_MAX];
    size_t count;
};

static double median(struct samples* samples) {
    if (samples->count == 0) return 0;
    qsort(samples->values, samples->count, sizeof samples->values[0], by_value);
    double upper = samples->values[samples->count / 2];
    return samples->count % 2 != 0 ? upper : (samples->values[samples->count / 2 - 1] + upper) / 2;
}

static double median_of(json_t* runs, const char* field) {
    static struct samples samples;
    size_t index;
    json_t* run;
    samples.count = 0;
    json_array_foreach(runs, index, run) {
        samples.values[samples.count++] = json_get_number(run, field);
    }
    return median(&samples);
}

static double extreme_of(json_t* runs, const char* field, bool greatest) {
    size_t index;
    json_t* run;
    double extreme = greatest ? -INFINITY : INFINITY;
    json_array_foreach(runs, index, run) {
        double value = json_get_number(run, field);
        extreme = greatest ? fmax(extreme, value) : fmin(extreme, value);
    }
    return extreme;
}

static json_t* run_to_json(const struct worker_figures* figures) {
    json_t* run = json_object();
    json_put_count(run, "ops", figures->ops);
    json_put_real(run, "seconds", figures->seconds);
    json_put_real(run, "ops_per_sec", figures->ops_per_sec);
    json_put_real(run, "user_seconds", figures->user_seconds);
    json_put_real(run, "system_seconds", figures->system_seconds);
    json_put_count(run, "rss_peak_kib", figures->rss_peak_kib);
    json_put_count(run, "rss_freed_kib", figures->rss_freed_kib);
    json_put_count(run, "minor_faults", figures->minor_faults);
    json_put_count(run, "major_faults", figures->major_faults);
    return run;
}

static json_t* latency_of(const struct worker_figures* figures) {
    return json_pack("{s:o, s:o}", "malloc", latency_to_json(&figures->malloc_latency), "free",
                     latency_to_json(&figures->free_latency));
}

static json_t* row_to_json(const struct worker_job* job, json_t* runs, json_t* latency) {
    json_t* params = json_object();
    for (size_t i = 0; job->workload->params[i].name != NULL; i++)
        json_put_count(params, job->workload->params[i].name, job->params[i]);
    json_t* row = json_object();
    json_put_text(row, "workload", job->workload->name);
    json_put_text(row, "source", job->workload->source);
    json_put_text(row, "stresses", job->workload->stresses);
    json_object_set_new(row, "params", params);
    const uint64_t own_threads = job->workload->own_threads;
    json_put_count(row, "threads", own_threads != 0 ? own_threads : job->threads);
    json_object_set(row, "runs", runs);
    json_put_real(row, "ops_per_sec", median_of(runs, "ops_per_sec"));
    json_object_set(row, "latency", latency);
    return row;
}

static void print_heading(const struct bench* bench) {
    const struct worker_job* job = &bench->job;
    fprintf(bench->out,
            "bench: lib=%s seconds=%g count=%" PRIu64 " threads=%" PRIu64 " runs=%" PRIu64 " seed=%" PRIu64 "\n",
            job->library != NULL ? job->library : "none", job->seconds, job->count, job->threads, bench->runs,
            job->seed);
}

static void print_columns(const struct bench* bench) {
    fprintf(bench->out, "%-13s %12s %25s %8s %8s %10s %10s %9s\n", "workload", "ops/s", "(lowest .. highest)", "user s",
            "sys s", "peak KiB", "freed KiB", "faults");
    if (args_is_set(bench->args, "latency"))
        fprintf(bench->out, "%-13s %12s %11s %12s %12s %12s\n", "  ns", "calls timed", "p50", "p99", "p99.9", "max");
}

static void print_row(const struct bench* bench, const char* name, json_t* runs) {
    if (json_array_size(bench->rows) == 0) print_columns(bench);
    fprintf(bench->out, "%-13s %12.0f (%10.0f .. %10.0f) %8.2f %8.2f %10.0f %10.0f %9.0f\n", name,
            median_of(runs, "ops_per_sec"), extreme_of(runs, "ops_per_sec", false),
            extreme_of(runs, "ops_per_sec", true), median_of(runs, "user_seconds"), median_of(runs, "system_seconds"),
            median_of(runs, "rss_peak_kib"), median_of(runs, "rss_freed_kib"), median_of(runs, "minor_faults"));
    fflush(bench->out);
}

static void print_latency(const struct bench* bench, const char* name, const struct latency* latency) {
    fprintf(bench->out, "  %-11s %12" PRIu64, name, latency->count);
    if (latency->count > 0)
        fprintf(bench->out, " %11" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64, latency->p50, latency->p99,
                latency->p999, latency->max);
    fputc('\n', bench->out);
    fflush(bench->out);
}

static int end_status(enum worker_end end) {
    switch (end) {
    case WORKER_OK: return STATUS_OK;
    case WORKER_FAILED: return STATUS_FAULT;
    case WORKER_MISSING: return STATUS_MISSING;
    case WORKER_STOPPED: break;
    }
    return STATUS_STOPPED;
}

// A worker that crashed is reported as repro does it.
static void on_crash(void* context, const struct worker_crash* crash) {
    struct bench* bench = context;
    char path[PATH_MAX];
    json_t* report = worker_report(crash);
    if (report != NULL) {
        crash_report_save(bench->args, ++bench->reports, report, path, sizeof path);
        const json_t* verdict = json_object_get(report, "verdict");
        fprintf(stderr, "bench: fault signal=%s workload=%s report=%s\nverdict: %s (confidence: %s)\n",
                signal_name(crash->signal), crash->workload, path[0] != '\0' ? path : "none",
                json_get_text_or(verdict, "cause", "unknown"), json_get_text_or(verdict, "confidence", "low"));
    }
    fprintf(stderr, "again: %s\n", crash->again);
    json_decref(report);
}

static enum worker_end run_plainly(struct bench* bench, const struct worker_job* job, json_t* runs) {
    enum worker_end end = WORKER_OK;
    for (uint64_t i = 0; i < bench->runs && end == WORKER_OK; i++) {
        struct worker_figures figures;
        end = worker_run(job, &figures);
        if (end == WORKER_OK) json_array_append_new(runs, run_to_json(&figures));
    }
    return end;
}

// A separate run, because the clock slows the others down.
static enum worker_end run_timed(const struct worker_job* job, struct worker_figures* figures) {
    struct worker_job timed = *job;
    timed.latency = true;
    return worker_run(&timed, figures);
}

// Runs that completed are kept, whatever happens to the next one.
static int run_workload(struct bench* bench, const struct workload* workload) {
    uint64_t params[WORKLOAD_PARAMS_MAX];
    if (!take_params(bench->args, workload, params)) return STATUS_USAGE;
    struct worker_job job = bench->job;
    job.workload = workload;
    job.params = params;
    json_t *runs = json_array(), *latency = json_null();
    enum worker_end end = run_plainly(bench, &job, runs);
    if (json_array_size(runs) > 0) print_row(bench, workload->name, runs);
    if (end == WORKER_OK && args_is_set(bench->args, "latency")) {
        struct worker_figures figures;
        end = run_timed(&job, &figures);
        if (end == WORKER_OK) {
            latency = latency_of(&figures);
            print_latency(bench, "malloc", &figures.malloc_latency);
            print_latency(bench, "free", &figures.free_latency);
        }
    }
    if (json_array_size(runs) > 0) json_array_append_new(bench->rows, row_to_json(&job, runs, latency));
    json_decref(latency);
    json_decref(runs);
    return end_status(end);
}

static int run_all(struct bench* bench) {
    int status = STATUS_OK;
    print_heading(bench);
    for (size_t i = 0; i < chosen_count(bench->args) && status == STATUS_OK; i++)
        status = run_workload(bench, chosen(bench->args, i));
    return status;
}

static bool save(struct bench* bench, int status) {
    json_t* result = result_new(bench->args, "bench");
    json_object_set_new(result, "library", bench->job.library != NULL ? json_text(bench->job.library) : json_null());
    json_put_count(result, "threads", bench->job.threads);
    json_put_count(result, "seed", bench->job.seed);
    json_put_bool(result, "complete", status == STATUS_OK);
    json_object_set(result, "workloads", bench->rows);
    bool saved = result_save(bench->args, "bench", result);
    json_decref(result);
    return saved;
}

static int run(const struct args* args) {
    char worker[PATH_MAX], library[PATH_MAX];
    struct bench bench = {.args = args, .job = {.worker = worker, .stopped = &stopped}, .out = result_stream(args)};
    int status = check_workloads(args);
    if (status != STATUS_OK) return status;
    if (!args_number(args, "runs", 1, RUNS_MAX, &bench.runs) || !take_seconds(args, &bench.job.seconds) ||
        !args_number(args, "count", 0, UINT64_MAX, &bench.job.count) ||
        !args_number(args, "threads", 1, WORKLOAD_THREADS_MAX, &bench.job.threads) || !take_seed(args, &bench.job.seed))
        return STATUS_USAGE;
    if (!worker_beside("hakstress-worker", worker, sizeof worker)) return STATUS_MISSING;
    bench.job.crashed = on_crash;
    bench.job.crash_context = &bench;
    status = find_library(args, library, sizeof library, &bench.job.library);
    if (status != STATUS_OK) return status;
    status = result_check(args);
    if (status != STATUS_OK) return status;
    if (!catch_stops()) return STATUS_MISSING;
    bench.rows = json_array();
    status = run_all(&bench);
    if (!save(&bench, status) && status == STATUS_OK) status = STATUS_MISSING;
    json_decref(bench.rows);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .may_keep_nothing = true,
    .synopsis = "[WORKLOAD|trace:FILE...]",
    .summary = "measure workloads under libhakmem or another malloc library",
    .examples = "hakstress bench                              # every workload\n"
                "hakstress bench larson --threads 4 --seconds 5\n"
                "hakstress bench larson pair --latency\n"
                "hakstress bench larson pair --lib none       # under the C library's malloc\n"
                "hakstress bench trace:python3.trace          # replay what hakstress record recorded\n",
    .options = bench_options,
    .takes_variables = true,
    .run = run,
};
