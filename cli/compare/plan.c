#include "compare/plan.h"

#include "base/error.h"
#include "base/number.h"
#include "compare/hints.h"
#include "compare/sweep.h"
#include "worker/run.h"
#include "workload/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_RUN 0.5
#define GOOD_RUN 0.1
#define SHORTEST_RUN 0.05
#define RUN_OVERHEAD 0.04    // seconds to start a process and to set a workload up
#define BUDGET_FOR_LOOK 0.8  // share of the budget before the first interim look
enum { LOOKS = 3, EXTRA_RUNS = 3, THREADS_AT_MOST = 4 };

// The workloads without operands: one for each way in which programs use malloc. Threads 0: all processors, at most
// THREADS_AT_MOST.
static const struct {
    const char* name;
    uint64_t threads;
} standard[] = {
    {"pair", 1},    {"larson", 0},  {"batch-random", 1}, {"rptest", 1},
    {"mstress", 0}, {"xmalloc", 1}, {"growth", 1},       {"fragment", 1},
};

static bool take_positive(const struct args* args, const char* option, double most, double* out) {
    const char* text = args_text(args, option);
    char *end, name[128];
    if (text == NULL) return true;
    double number = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(number) && number > 0 && number <= most) {
        *out = number;
        return true;
    }
    usage_error("%s must be a number above 0 and at most %g, not '%s'", args_where(args, option, name, sizeof name),
                most, text);
    return false;
}

// Rows

static uint64_t processors_for_threads(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (count > THREADS_AT_MOST ? THREADS_AT_MOST : (uint64_t)count);
}

static int take_param(struct row* row, char* setting, const char* operand) {
    char* equals = strchr(setting, '=');
    if (equals == NULL) return usage_error("%s: '%s' is not of the form PARAMETER=N", operand, setting);
    *equals = '\0';
    bool is_threads = strcmp(setting, "threads") == 0;
    int index = workload_param_index(row->workload, setting);
    if (index < 0 && !is_threads)
        return usage_error("%s: %s has no parameter '%s'; see: hakstress list workloads", operand, row->workload->name,
                           setting);
    const struct workload_param threads = {"threads", 1, 1, WORKLOAD_THREADS_MAX, ""};
    const struct workload_param* param = is_threads ? &threads : &row->workload->params[index];
    if (parse_number(equals + 1, param->min, param->max, is_threads ? &row->threads : &row->params[index]))
        return STATUS_OK;
    return usage_error("%s: %s must be a whole number from %llu to %llu, not '%s'", operand, setting,
                       (unsigned long long)param->min, (unsigned long long)param->max, equals + 1);
}

// Sets the swept parameter, if there is one, and adds it to the name.
static int take_swept(const struct sweep* sweep, struct row* row, bool has_settings) {
    char setting[256];
    if (row->swept == NULL) return STATUS_OK;
    if (row->workload->own_threads != 0 && strcmp(sweep->name, "threads") == 0)
        return usage_error("%s runs with the threads that were recorded; --sweep cannot set them", row->of);
    const size_t used = strlen(row->name);
    size_t length = (size_t)snprintf(setting, sizeof setting, "%s=%s", sweep->name, row->swept);
    size_t whole =
        used + (size_t)snprintf(row->name + used, sizeof row->name - used, "%c%s", has_settings ? ',' : ':', setting);
    if (length >= sizeof setting || whole >= sizeof row->name)
        return usage_error("the value '%s' of --sweep is too long", row->swept);
    return take_param(row, setting, row->of);
}

static int take_settings(const struct sweep* sweep, struct row* row, char* settings, const char* operand) {
    char *rest = NULL, *one = strtok_r(settings, ",", &rest);
    if (one == NULL)
        return usage_error("%s: no parameter follows the colon; write %s:PARAMETER=N,... or just %s", operand,
                           row->workload->name, row->workload->name);
    for (; one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (sweep_is_of(sweep, one)) return usage_error("%s: --sweep sets %s; leave it out", operand, sweep->name);
        int status = take_param(row, one, operand);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

// WORKLOAD or WORKLOAD:PARAMETER=N,PARAMETER=N. A workload whose own name has a colon is matched as a whole.
static int take_row(const struct sweep* sweep, struct row* row, const char* operand, uint64_t threads) {
    char text[sizeof row->name];
    if ((size_t)snprintf(text, sizeof text, "%s", operand) >= sizeof text)
        return usage_error("the workload '%s' is too long", operand);
    snprintf(row->name, sizeof row->name, "%s", operand);
    row->of = operand;
    row->workload = workload_find(operand);
    char* settings = row->workload == NULL ? strchr(text, ':') : NULL;
    if (settings != NULL) {
        *settings++ = '\0';
        row->workload = workload_find(text);
    }
    if (row->workload == NULL) return hint_for_workload(text);
    workload_standard_params(row->workload, row->params);
    row->threads = row->workload->own_threads != 0 ? row->workload->own_threads : threads;
    int status = settings != NULL ? take_settings(sweep, row, settings, operand) : STATUS_OK;
    if (status == STATUS_OK) status = take_swept(sweep, row, settings != NULL);
    if (status != STATUS_OK) return status;
    const char* conflict = workload_conflict(row->workload, row->params);
    return conflict != NULL ? usage_error("%s: %s", operand, conflict) : STATUS_OK;
}

// One row, or one for each value of the sweep.
static int take_operand(struct comparison* comparison, const char* operand, uint64_t threads) {
    const struct sweep* sweep = &comparison->sweep;
    const size_t count = sweep->count > 0 ? sweep->count : 1;
    for (size_t i = 0; i < count; i++) {
        struct row* row = &comparison->rows[comparison->row_count];
        if (sweep->count > 0) row->swept = sweep->values[i];
        int status = take_row(sweep, row, operand, threads);
        if (status != STATUS_OK) return status;
        comparison->row_count++;
    }
    return STATUS_OK;
}

static int take_named(const struct args* args, struct comparison* comparison, uint64_t threads) {
    const size_t count = (size_t)args->operand_count, values = comparison->sweep.count;
    if (count > ROWS_MAX) return usage_error("too many workloads: at most %d", ROWS_MAX);
    if (count * values > ROWS_MAX)
        return usage_error("too many rows: %zu workloads with %zu values each; at most %d rows", count, values,
                           ROWS_MAX);
    for (int i = 0; i < args->operand_count; i++) {
        for (int j = 0; j < i; j++)
            if (strcmp(args->operands[i], args->operands[j]) == 0)
                return usage_error("'%s' is given twice", args->operands[i]);
        int status = take_operand(comparison, args->operands[i], threads);
        if (status == STATUS_OK && comparison->rows[comparison->row_count - 1].workload->own_threads != 0 &&
            args_source(args, "threads") == FROM_COMMAND_LINE)
            return usage_error("%s runs with the threads that were recorded; leave out --threads", args->operands[i]);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static int take_standard(struct comparison* comparison, uint64_t threads, bool given) {
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++) {
        uint64_t wanted = standard[i].threads != 0 ? standard[i].threads : processors_for_threads();
        int status = take_row(&comparison->sweep, &comparison->rows[i], standard[i].name, given ? threads : wanted);
        if (status != STATUS_OK) return status;
        comparison->row_count++;
    }
    return STATUS_OK;
}

static int take_command(const struct args* args, struct comparison* comparison) {
    struct row* row = &comparison->rows[0];
    if (args->operand_count > 0)
        return usage_error("give workloads or a command, not both; put options before --, and leave out '%s'",
                           args->operands[0]);
    if (args_source(args, "threads") == FROM_COMMAND_LINE)
        return usage_error("a command starts its own threads; leave out --threads");
    const char* name = strrchr(args->rest[0], '/');
    snprintf(row->name, sizeof row->name, "%s", name != NULL ? name + 1 : args->rest[0]);
    comparison->command = args->rest;
    comparison->command_count = args->rest_count;
    comparison->row_count = 1;
    row->of = name != NULL ? name + 1 : args->rest[0];
    row->threads = 1;
    row->command = comparison->command;
    row->prepare = comparison->prepare;
    row->cleanup = comparison->cleanup;
    return comparison->sweep.count > 0 ? sweep_command(comparison) : STATUS_OK;
}

static int take_rows(const struct args* args, struct comparison* comparison) {
    uint64_t threads = 1;
    bool given = args_is_set(args, "threads");
    if (given && !args_number(args, "threads", 1, WORKLOAD_THREADS_MAX, &threads)) return STATUS_USAGE;
    if (args->rest != NULL && args->rest_count == 0) return usage_error("put a command after --");
    int status = sweep_take(args, comparison);
    if (status != STATUS_OK) return status;
    if (args->rest != NULL) return take_command(args, comparison);
    if (args->operand_count > 0) return take_named(args, comparison, threads);
    return take_standard(comparison, threads, given);
}

static int make_cells(struct comparison* comparison) {
    for (size_t i = 0; i < comparison->row_count; i++)
        for (size_t j = 0; j < comparison->subject_count; j++) {
            comparison->rows[i].cells[j] = calloc(1, sizeof(struct cell));
            if (comparison->rows[i].cells[j] == NULL) return missing_error("out of memory");
        }
    return STATUS_OK;
}

void plan_free(struct comparison* comparison) {
    for (size_t i = 0; i < ROWS_MAX; i++)
        for (size_t j = 0; j < SUBJECTS_MAX; j++) free(comparison->rows[i].cells[j]);
    sweep_free(comparison);
}

// Rounds and time

size_t plan_ratios(const struct comparison* comparison) {
    size_t metrics = comparison->command != NULL ? METRICS - 1 : METRICS;
    return comparison->row_count * (comparison->subject_count - 1) * metrics;
}

static unsigned at_most_rounds(size_t rounds) {
    return rounds < ROUNDS_MAX ? (unsigned)rounds : ROUNDS_MAX;
}

static void plan_looks(struct comparison* comparison) {
    if (comparison->rounds_fixed > 0) {
        comparison->looks[0] = comparison->rounds_fixed;
        comparison->look_count = 1;
        return;
    }
    size_t needed = statistics_pairs_needed(plan_ratios(comparison), LOOKS);
    comparison->looks[0] = at_most_rounds(needed);
    comparison->looks[1] = at_most_rounds(needed * 3);
    comparison->looks[2] = ROUNDS_MAX;
    comparison->look_count = LOOKS;
}

static double cells(const struct comparison* comparison) {
    return (double)(comparison->row_count * comparison->subject_count);
}

double plan_runs(const struct comparison* comparison) {
    return cells(comparison) * (comparison->looks[comparison->look_count - 1] + 1);
}

static double length_for(const struct comparison* comparison, unsigned rounds) {
    return comparison->budget * BUDGET_FOR_LOOK / (cells(comparison) * (rounds + EXTRA_RUNS)) - RUN_OVERHEAD;
}

// Many short runs give narrower intervals than a few long ones in the same time. They become shorter than GOOD_RUN only
// so that the first interim look, where most rows may end, comes within the budget.
static double length_of_run(const struct comparison* comparison) {
    double all = length_for(comparison, comparison->looks[comparison->look_count - 1]);
    double first = length_for(comparison, comparison->looks[0]);
    return fmin(LONGEST_RUN, fmax(SHORTEST_RUN, fmin(first, fmax(GOOD_RUN, all))));
}

void plan_processors(struct row* row) {
    cpu_set_t all;
    const unsigned roles = row->workload != NULL && row->workload->roles != 0 ? row->workload->roles : 1;
    uint64_t wanted = row->threads * roles;
    CPU_ZERO(&row->processors);
    if (sched_getaffinity(0, sizeof all, &all) != 0) return;
    for (size_t i = CPU_SETSIZE; i-- > 0 && wanted > 0;)  // from the last one, because the first handle most interrupts
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &row->processors);
            wanted--;
        }
}

static bool take_seed(const struct args* args, uint64_t* seed) {
    if (args_is_set(args, "seed")) return args_number(args, "seed", 0, INT64_MAX, seed);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *seed = (uint64_t)now.tv_nsec;
    return true;
}

int plan_take(const struct args* args, struct comparison* comparison) {
    uint64_t rounds = 0;
    double percent = 1, noise = 10;
    comparison->quiet = args_is_set(args, "quiet");
    comparison->show_output = args_is_set(args, "show-output");
    if (args_is_set(args, "rounds") && !args_number(args, "rounds", 2, ROUNDS_MAX, &rounds)) return STATUS_USAGE;
    if (!take_positive(args, "budget", 1e6, &comparison->budget) ||
        !take_positive(args, "seconds", 86400, &comparison->seconds) ||
        !take_positive(args, "timeout", 1e6, &comparison->timeout) ||
        !take_positive(args, "precision", 100, &percent) || !take_positive(args, "noise", 1e6, &noise) ||
        !take_seed(args, &comparison->seed))
        return STATUS_USAGE;
    comparison->precision = percent / 100;
    comparison->noise = noise / 100;
    comparison->noise_given = args_is_set(args, "noise");
    comparison->rounds_fixed = (unsigned)rounds;
    int status = take_rows(args, comparison);
    if (status == STATUS_OK) status = make_cells(comparison);
    if (status != STATUS_OK) return status;
    plan_looks(comparison);
    if (comparison->seconds <= 0) comparison->seconds = length_of_run(comparison);
    if (comparison->timeout <= 0 && comparison->command == NULL) comparison->timeout = 30 + 20 * comparison->seconds;
    comparison->pinned = args_is_set(args, "pin");
    for (size_t i = 0; i < comparison->row_count; i++) plan_processors(&comparison->rows[i]);
    return STATUS_OK;
}
