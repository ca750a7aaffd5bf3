// hakstress repro and hakstress guard: Larson's churn on the linked checked core, watched. They differ in their
// profile.
#include "args/args.h"
#include "base/error.h"
#include "base/json.h"
#include "base/seed.h"
#include "command/commands.h"
#include "config/changes.h"
#include "config/sources.h"
#include "report/crash_save.h"
#include "report/rings.h"
#include "results/results.h"
#include "supervise/supervisor.h"
#include "workload/table.h"

#include <hakmem/hakmem.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec repro_options[] = {
    {"changes", "LIST", "HAKMEM_CHANGES", "all",
     "which of the six changes are present: all, none, or a list such as 1-2,6; hakstress list changes says what a "
     "missing one does"},
    {"min", "BYTES", NULL, "8", "smallest block"},
    {"max", "BYTES", NULL, "128", "largest block"},
    {"chunks", "N", NULL, "1024", "live blocks of each thread"},
    {"rounds", "N", NULL, "1", "a thread hands over to the next after chunks * rounds replacements"},
    {"chaos", "N", "HAKMEM_CHAOS", NULL, "yield at one protocol step in N; 0: never"},
    {"hang-after", "SECONDS", NULL, "10", "a run counts as hung when no thread has made progress for this long"},
    {.name = NULL},
};

struct repro {
    const struct args* args;
    const struct workload* workload;
    double seconds;
    uint64_t threads, seed, hang_after;
    uint64_t params[WORKLOAD_PARAMS_MAX];
    char again[4096];
};

// The plan

static bool read_params(struct repro* repro) {
    for (size_t i = 0; repro->workload->params[i].name != NULL; i++) {
        const struct workload_param* param = &repro->workload->params[i];
        if (!args_number(repro->args, param->name, param->min, param->max, &repro->params[i])) return false;
    }
    const char* conflict = workload_conflict(repro->workload, repro->params);
    if (conflict == NULL) return true;
    usage_error("%s", conflict);
    return false;
}

static bool choose_seed(struct repro* repro) {
    if (args_is_set(repro->args, "seed")) return args_number(repro->args, "seed", 0, INT64_MAX, &repro->seed);
    repro->seed = fresh_seed();
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, repro->seed);
    if (setenv("HAKMEM_SEED", text, 1) == 0) return true;
    missing_error("cannot set HAKMEM_SEED: %s", strerror(errno));
    return false;
}

static bool read_plan(struct repro* repro) {
    const struct args* args = repro->args;
    if (!args_operands_at_most(args, 2) || !args_operand_number(args, 0, "SECONDS", 0.01, 1e7, 30, &repro->seconds) ||
        !args_operand_whole(args, 1, "THREADS", 1, WORKLOAD_THREADS_MAX, 20, &repro->threads) || !read_params(repro) ||
        !args_number(args, "hang-after", 1, 86400, &repro->hang_after) || !choose_seed(repro))
        return false;
    uint64_t chaos;
    if (args_is_set(args, "chaos") && !args_number(args, "chaos", 0, 1000000, &chaos)) return false;
    return true;
}

// By the library's own parser of the option, after it has read the environment.
static bool read_changes(const struct repro* repro) {
    const char* changes = args_text(repro->args, "changes");
    if (hak_option_set("HAKMEM_CHANGES", changes) == 0) return true;
    char name[128];
    usage_error("%s must be all, none, or a list of numbers from 1 to %d such as 1-2,6, not '%s'",
                args_where(repro->args, "changes", name, sizeof name), CHANGES_COUNT, changes);
    return false;
}

static void describe_again(struct repro* repro) {
    const struct args* args = repro->args;
    char tail[1024];
    int used = snprintf(tail, sizeof tail, "%s %g %" PRIu64 " --profile %s --seed %" PRIu64 " --changes %s",
                        args->command->name, repro->seconds, repro->threads, args->profile, repro->seed,
                        args_text(args, "changes"));
    for (size_t i = 0; repro->workload->params[i].name != NULL && used > 0 && (size_t)used < sizeof tail; i++)
        used += snprintf(tail + used, sizeof tail - (size_t)used, " --%s %" PRIu64, repro->workload->params[i].name,
                         repro->params[i]);
    if (args_is_set(args, "chaos") && used > 0 && (size_t)used < sizeof tail)
        snprintf(tail + used, sizeof tail - (size_t)used, " --chaos %s", args_text(args, "chaos"));
    result_again(args, tail, repro->again, sizeof repro->again);
}

// This process reads the environment for its child. It can be asked about options; only the child can say what is in
// force.
static void take_over_environment(void) {
    const char* verbose = getenv("HAKMEM_VERBOSE");
    char kept[16] = "";
    if (verbose != NULL) snprintf(kept, sizeof kept, "%s", verbose);
    unsetenv("HAKMEM_VERBOSE");
    hak_options_init();
    if (verbose != NULL) setenv("HAKMEM_VERBOSE", kept, 1);
    for (char** entry = environ; *entry != NULL; entry++) {
        char name[128];
        size_t length = strcspn(*entry, "=");
        snprintf(name, sizeof name, "%.*s", (int)length, *entry);
        if ((*entry)[length] == '=') hak_option_set(name, *entry + length + 1);  // others are ignored
    }
}

static uint32_t ring_records(void) {
    uint32_t records = 64;
    while (records < (uint64_t)hak_option(ring) && records < UINT32_C(1) << 20) records *= 2;
    return records;
}

static struct shared* make_shared(const struct repro* repro, int* fd) {
    struct shared* shared = shared_create(ring_records(), fd);
    if (shared == NULL) {
        missing_error("no shared memory for the debug ring: %s; a smaller HAKMEM_RING needs less", strerror(errno));
        return NULL;
    }
    struct child_plan* plan = &shared->plan;
    snprintf(plan->workload, sizeof plan->workload, "%s", repro->workload->name);
    plan->seconds = repro->seconds;
    plan->threads = (uint32_t)repro->threads;
    plan->seed = repro->seed;
    memcpy(plan->params, repro->params, sizeof plan->params);
    return shared;
}

// The result

static json_t* options_json(void) {
    json_t* options = json_object();
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        char value[HAK_OPTION_TEXT_MAX];
        const char* name = hak_option_info(i)->name;
        if (hak_option_get(name, value, sizeof value) == 0) json_put_text(options, name, value);
    }
    return options;
}

static json_t* params_json(const struct repro* repro) {
    json_t* params = json_object();
    for (size_t i = 0; repro->workload->params[i].name != NULL; i++)
        json_put_count(params, repro->workload->params[i].name, repro->params[i]);
    return params;
}

static json_t* samples_json(const struct supervision* supervision) {
    json_t* samples = json_array();
    for (size_t i = 0; i < supervision->sample_count; i++) {
        const struct sample* sample = &supervision->samples[i];
        json_array_append_new(samples,
                              json_pack("{s:f, s:I, s:I, s:I}", "time", sample->time, "ops", (json_int_t)sample->ops,
                                        "events", (json_int_t)sample->events, "rss_kib", (json_int_t)sample->rss_kib));
    }
    return samples;
}

static json_t* counters_json(const struct shared* shared) {
    json_t* counters = json_loads(shared->statistics.text, 0, NULL);
    return counters != NULL ? counters : json_null();
}

struct verdict_line {
    char text[PATH_MAX + 512];
};

// The last line on stdout; its forms are fixed.
static void last_line(struct verdict_line* line, const struct repro* repro, const struct supervision* supervision,
                      enum supervised outcome, const char* report) {
    const char* mode = repro->args->command->name;
    const struct shared* shared = supervision->shared;
    uint64_t events = rings_events(shared_ring(supervision->shared));
    const struct workload_result* work = &shared->outcome.work;
    char* out = line->text;
    size_t size = sizeof line->text;
    long long thread = json_get_whole(supervision->report, "thread");
    const json_t* signal = json_object_get(supervision->report, "signal");
    const char* address = json_get_text(signal, "fault_addr");
    const char* name = json_get_text(signal, "name");
    if (name == NULL) name = json_get_text(supervision->report, "died_of");
    switch (outcome) {
    case SUPERVISED_OK:
        snprintf(out, size,
                 "%s: ok events=%" PRIu64 " ops=%" PRIu64 " ops_per_sec=%.0f seconds=%.2f threads=%" PRIu64
                 " peak_rss_kib=%" PRIu64,
                 mode, events, work->ops, work->seconds > 0 ? (double)work->ops / work->seconds : 0.0, work->seconds,
                 repro->threads, supervision->peak_rss_kib);
        return;
    case SUPERVISED_FAULT:
        if (supervision->has_check) {
            snprintf(out, size, "%s: fault check=%s site=%s thread=%lld events=%" PRIu64 " after=%.3f report=%s", mode,
                     supervision->check.check, supervision->check.site, thread, events, supervision->after, report);
        } else {
            snprintf(out, size, "%s: fault signal=%s fault_addr=%s thread=%lld events=%" PRIu64 " after=%.3f report=%s",
                     mode, name, address != NULL ? address : "none", thread, events, supervision->after, report);
        }
        return;
    case SUPERVISED_HANG:
        snprintf(out, size, "%s: hang after=%.3f report=%s", mode, supervision->after, report);
        return;
    case SUPERVISED_STOPPED:
    case SUPERVISED_FAILED: snprintf(out, size, "%s: stopped after=%.3f", mode, supervision->after); return;
    }
}

static const char* outcome_name(enum supervised outcome) {
    static const char* const names[] = {
        [SUPERVISED_OK] = "ok",           [SUPERVISED_FAULT] = "fault",   [SUPERVISED_HANG] = "hang",
        [SUPERVISED_STOPPED] = "stopped", [SUPERVISED_FAILED] = "failed",
    };
    return names[outcome];
}

static json_t* result_json(const struct repro* repro, const struct supervision* supervision, enum supervised outcome,
                           const char* line, const char* report) {
    struct shared* shared = supervision->shared;
    uint64_t ops = 0;
    for (uint64_t i = 0; i < repro->threads; i++) ops += load_relaxed(&shared->progress[i].ops);
    json_t* result = result_new(repro->args, repro->args->command->name);
    json_put_text(result, "again", repro->again);
    json_put_text(result, "outcome", outcome_name(outcome));
    json_put_text(result, "line", line);
    json_put_text(result, "workload", repro->workload->name);
    json_put_real(result, "seconds_asked", repro->seconds);
    json_put_count(result, "threads", repro->threads);
    json_put_count(result, "seed", repro->seed);
    json_object_set_new(result, "params", params_json(repro));
    json_object_set_new(result, "options", options_json());
    json_put_count(result, "events", rings_events(shared_ring(shared)));
    json_put_count(result, "ops", ops);
    json_put_real(result, "seconds", outcome == SUPERVISED_OK ? shared->outcome.work.seconds : supervision->after);
    json_put_count(result, "peak_rss_kib", supervision->peak_rss_kib);
    json_object_set_new(result, "samples", samples_json(supervision));
    json_object_set_new(result, "counters", counters_json(shared));
    json_object_set_new(result, "foreign_drains", rings_foreign_drain_counts(shared_ring(shared)));
    json_object_set(result, "fault", supervision->report != NULL ? supervision->report : json_null());
    if (report[0] != '\0') json_put_text(result, "report", report);
    return result;
}

static void save_report(const struct repro* repro, struct supervision* supervision, char* path, size_t size) {
    path[0] = '\0';
    if (supervision->report == NULL) return;
    json_put_text(supervision->report, "again", repro->again);
    json_object_set_new(supervision->report, "options", options_json());
    crash_report_save(repro->args, 1, supervision->report, path, size);
}

static int exit_status(enum supervised outcome) {
    switch (outcome) {
    case SUPERVISED_OK: return STATUS_OK;
    case SUPERVISED_FAULT: return STATUS_FAULT;
    case SUPERVISED_HANG: return STATUS_HANG;
    case SUPERVISED_STOPPED: return STATUS_STOPPED;
    case SUPERVISED_FAILED: break;
    }
    return STATUS_MISSING;
}

static int conclude(struct repro* repro, struct supervision* supervision, enum supervised outcome) {
    char report[PATH_MAX];
    struct verdict_line line;
    save_report(repro, supervision, report, sizeof report);
    last_line(&line, repro, supervision, outcome, report[0] != '\0' ? report : "none");
    json_t* result = result_json(repro, supervision, outcome, line.text, report);
    bool saved = result_save(repro->args, repro->args->command->name, result);
    json_decref(result);
    if (outcome != SUPERVISED_FAILED) fprintf(result_stream(repro->args), "%s\n", line.text);
    int status = exit_status(outcome);
    return status == STATUS_OK && !saved ? STATUS_MISSING : status;
}

static int repro_run(const struct args* args) {
    struct repro repro = {.args = args, .workload = &workload_larson};
    if (!read_plan(&repro)) return STATUS_USAGE;
    take_over_environment();
    if (!read_changes(&repro)) return STATUS_USAGE;
    int status = result_check(args);
    if (status != STATUS_OK) return status;
    describe_again(&repro);
    struct supervision supervision = {
        .title = args->command->name, .quiet = args_is_set(args, "quiet"), .hang_after = (double)repro.hang_after};
    supervision.shared = make_shared(&repro, &supervision.shared_fd);
    if (supervision.shared == NULL) return STATUS_MISSING;
    fprintf(result_stream(args), "again: %s\n", repro.again);
    fflush(result_stream(args));
    enum supervised outcome = supervise(&supervision);
    status = conclude(&repro, &supervision, outcome);
    supervision_free(&supervision);
    shared_close(supervision.shared);
    close(supervision.shared_fd);
    return status;
}

const struct command command_repro = {
    .name = "repro",
    .may_keep_nothing = true,
    .synopsis = "[SECONDS [THREADS]]",
    .summary = "run Larson's churn on the checked core, 30 s with 20 threads by default",
    .examples = "hakstress repro                              # 30 s, 20 threads, all changes present: clean\n"
                "hakstress repro 30 4 --changes none          # the historical fault, within a second or so\n"
                "hakstress repro 60 4 --changes 1-2,4-6       # change 3 alone missing\n"
                "hakstress repro 30 20 --profile fast0        # without the thread-local lists\n",
    .options = repro_options,
    .profile = "repro",
    .takes_variables = true,
    .run = repro_run,
};

static const struct setting guard_checks[] = {
    {"HAKMEM_GUARD", "1"},
    {"HAKMEM_DEBUG_OWNERSHIP", "1"},
    {"HAKMEM_LINKS", "encoded"},
    {.name = NULL},
};

const struct command command_guard = {
    .name = "guard",
    .may_keep_nothing = true,
    .synopsis = "[SECONDS [THREADS]]",
    .summary = "run the same as repro, with all checks on",
    .examples = "hakstress guard                              # 30 s, 20 threads\n"
                "hakstress guard 15 4 --changes 1-5           # stops at the first drain that change 6 forbids\n",
    .options = repro_options,
    .profile = "guard",
    .checks = guard_checks,
    .notes =
        "HAKMEM_GUARD=1, HAKMEM_DEBUG_OWNERSHIP=1 and HAKMEM_LINKS=encoded are always set, whatever --profile says. A\n"
        "variable that says otherwise is refused.\n",
    .takes_variables = true,
    .run = repro_run,
};
