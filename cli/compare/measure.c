#include "compare/measure.h"

#include "base/error.h"
#include "compare/command_run.h"
#include "compare/plan.h"
#include "compare/verdicts.h"
#include "report/crash_save.h"
#include "results/results.h"
#include "supervise/progress_bar.h"
#include "supervise/worker_report.h"
#include "worker/run.h"
#include "workload/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define AA_LONGEST_RUN 0.05
enum { AA_ROUNDS = 50, GIVE_UP_AFTER = 3, RSS_POINTS = 100 };

struct work {
    struct comparison* comparison;
    double started, deadline, runs_done;
    uint64_t random;
    bool bar;
};

// One run

static struct worker_job job_of(const struct comparison* comparison, const struct subject* subject,
                                const struct row* row) {
    return (struct worker_job){
        .worker = subject->worker[0] != '\0' ? subject->worker : comparison->worker,
        .library = subject->path[0] != '\0' ? subject->path : NULL,
        .allocator = subject->name,
        .workload = row->workload,
        .params = row->params,
        .seconds = comparison->seconds,
        .threads = row->threads,
        .stopped = comparison->stopped,
        .variables = subject->variables,
        .processors = comparison->pinned ? &row->processors : NULL,
        .timeout = comparison->timeout,
    };
}

static struct sample sample_of(const struct worker_figures* figures) {
    return (struct sample){
        .present = true,
        .ops_per_sec = figures->ops_per_sec,
        .seconds = figures->seconds,
        .user_seconds = figures->user_seconds,
        .system_seconds = figures->system_seconds,
        .rss_peak_kib = figures->rss_peak_kib,
        .rss_freed_kib = figures->rss_freed_kib,
        .minor_faults = figures->minor_faults,
        .major_faults = figures->major_faults,
    };
}

struct crash_of {
    struct comparison* comparison;
    struct failure* failure;
};

static void on_crash(void* context, const struct worker_crash* crash) {
    const struct crash_of* of = context;
    struct comparison* comparison = of->comparison;
    snprintf(of->failure->again, sizeof of->failure->again, "%s", crash->again);
    if (comparison->reports == RESULT_REPORTS_MAX) return;
    json_t* report = worker_report(crash);
    if (report != NULL)
        crash_report_save(comparison->args, ++comparison->reports, report, of->failure->report,
                          sizeof of->failure->report);
    json_decref(report);
}

static enum worker_end run_worker(struct comparison* comparison, struct subject* subject, const struct row* row,
                                  int round, struct sample* sample, struct failure* failure) {
    struct worker_figures figures;
    struct worker_job job = job_of(comparison, subject, row);
    job.seed = comparison->seed + (uint64_t)(round + 1);
    job.failure = failure->what;
    job.failure_size = sizeof failure->what;
    struct crash_of of = {comparison, failure};
    job.crashed = on_crash;
    job.crash_context = &of;
    enum worker_end end = worker_run(&job, &figures);
    if (end != WORKER_OK) return end;
    *sample = sample_of(&figures);
    memcpy(subject->loaded_from, figures.loaded_from, sizeof subject->loaded_from);
    return end;
}

static enum worker_end run_once(struct comparison* comparison, struct subject* subject, const struct row* row,
                                int round, struct sample* sample, struct failure* failure) {
    *failure = (struct failure){.round = round};
    if (row->workload != NULL) return run_worker(comparison, subject, row, round, sample, failure);
    if (!command_prepare(comparison, row, failure->what, sizeof failure->what)) return WORKER_FAILED;
    enum worker_end end = round == WARM_UP
                              ? command_prove(comparison, row, subject, failure->what, sizeof failure->what)
                              : command_measure(comparison, row, subject, sample, failure->what, sizeof failure->what);
    char said[sizeof failure->what];
    bool clean = command_cleanup(comparison, row, said, sizeof said);
    if (clean || end != WORKER_OK) return end;
    memcpy(failure->what, said, sizeof said);
    sample->present = false;
    return WORKER_FAILED;
}

static int status_of(enum worker_end end) {
    if (end == WORKER_MISSING) return STATUS_MISSING;
    return end == WORKER_STOPPED ? STATUS_STOPPED : STATUS_OK;
}

static void show_progress(const struct work* work, const char* title) {
    if (!work->bar) return;
    double spent = workload_clock() - work->started, whole = plan_runs(work->comparison);
    double left = work->runs_done > 0 ? spent / work->runs_done * (whole - work->runs_done) : work->comparison->budget;
    left = fmin(left, work->deadline - workload_clock());
    progress_bar_left(title, spent, spent + left, left);
}

static void note_failure(struct cell* cell, const struct failure* failure) {
    if (cell->failed < FAILURES_MAX) cell->failures[cell->failed] = *failure;
    cell->failed++;
    cell->unbroken++;
}

static bool is_given_up(const struct cell* cell) {
    return cell->unbroken >= GIVE_UP_AFTER;
}

// A failed run is recorded, and the others go on.
static int run_cell(struct work* work, struct row* row, size_t subject, int round) {
    struct comparison* comparison = work->comparison;
    struct cell* cell = row->cells[subject];
    struct sample sample = {.present = false};
    struct failure failure;
    char title[320];
    if (is_given_up(cell)) return STATUS_OK;
    snprintf(title, sizeof title, "%s under %s", row->name, comparison->subjects[subject].name);
    show_progress(work, title);
    enum worker_end end = run_once(comparison, &comparison->subjects[subject], row, round, &sample, &failure);
    work->runs_done++;
    if (end == WORKER_FAILED) {
        note_failure(cell, &failure);
    } else if (end == WORKER_OK) {
        cell->unbroken = 0;
        if (round != WARM_UP) cell->samples[round] = sample;
    }
    return status_of(end);
}

static void shuffle(uint64_t* random, size_t* order, size_t count) {
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t other = statistics_random_below(random, i), swapped = order[i - 1];
        order[i - 1] = order[other];
        order[other] = swapped;
    }
}

// A against A

static int aa_round(struct work* work, const struct row* row, unsigned round, double* log_ratio) {
    struct comparison* comparison = work->comparison;
    struct subject* subject = &comparison->subjects[comparison->baseline];
    double rates[2] = {0, 0};
    size_t order[2];
    struct failure failure;
    shuffle(&work->random, order, 2);
    for (size_t i = 0; i < 2; i++) {
        struct sample sample = {.present = false};
        if (work->bar) progress_bar_left("checking this machine for noise", round, AA_ROUNDS, comparison->budget);
        failure = (struct failure){.round = (int)round};
        enum worker_end end = run_worker(comparison, subject, row, (int)round, &sample, &failure);
        if (end == WORKER_FAILED) return missing_error("%s under %s: %s", row->name, subject->name, failure.what);
        if (end != WORKER_OK) return status_of(end);
        rates[order[i]] = sample.ops_per_sec;
    }
    *log_ratio = log(rates[0] / rates[1]);
    return STATUS_OK;
}

// One comparison in a hundred claims a difference by chance. A user who gives --noise has allowed that, too.
static bool is_trustworthy(const struct comparison* comparison, const struct estimate* estimate) {
    double apart = fmax(estimate->high, 1 / estimate->low) - 1;
    bool may_differ = comparison->noise_given || statistics_claim(estimate, estimate->p) == 0;
    return may_differ && apart <= comparison->noise;
}

// With the same interleaving, test and rule as everything else.
static int measure_aa(struct work* work) {
    struct comparison* comparison = work->comparison;
    struct row row = {.name = "pair", .workload = workload_find("pair"), .threads = 1};
    double logs[AA_ROUNDS], ignored, seconds = comparison->seconds, timeout = comparison->timeout;
    workload_standard_params(row.workload, row.params);
    plan_processors(&row);
    comparison->seconds = fmin(seconds, AA_LONGEST_RUN);
    comparison->timeout = 60;
    int status = aa_round(work, &row, 0, &ignored);  // the warm-up
    for (unsigned round = 0; round < AA_ROUNDS && status == STATUS_OK; round++)
        status = aa_round(work, &row, round, &logs[round]);
    comparison->seconds = seconds;
    comparison->timeout = timeout;
    if (status != STATUS_OK) return status;
    struct aa* aa = &comparison->aa;
    aa->estimate = statistics_of_ratios(logs, AA_ROUNDS, comparison->seed);
    aa->rounds = AA_ROUNDS;
    aa->done = true;
    aa->trustworthy = is_trustworthy(comparison, &aa->estimate);
    return aa->trustworthy ? STATUS_OK : STATUS_UNTRUSTED;
}

// Rounds

// The baseline, or every other allocator, was given up.
static bool is_nothing_left(const struct comparison* comparison, const struct row* row) {
    size_t left = 0;
    for (size_t i = 0; i < comparison->subject_count; i++)
        if (i != comparison->baseline && !is_given_up(row->cells[i])) left++;
    return left == 0 || is_given_up(row->cells[comparison->baseline]);
}

static int run_row(struct work* work, struct row* row, int round) {
    size_t order[SUBJECTS_MAX] = {0};
    int status = STATUS_OK;
    shuffle(&work->random, order, work->comparison->subject_count);
    for (size_t i = 0; i < work->comparison->subject_count && status == STATUS_OK; i++)
        status = run_cell(work, row, order[i], round);
    if (status == STATUS_OK && round != WARM_UP) row->rounds = (unsigned)round + 1;
    row->settled = is_nothing_left(work->comparison, row);
    return status;
}

static int run_round(struct work* work, int round) {
    struct comparison* comparison = work->comparison;
    size_t order[ROWS_MAX] = {0};
    int status = STATUS_OK;
    shuffle(&work->random, order, comparison->row_count);
    for (size_t i = 0; i < comparison->row_count && status == STATUS_OK; i++) {
        struct row* row = &comparison->rows[order[i]];
        if (!row->settled) status = run_row(work, row, round);
    }
    return status;
}

// An interim look. Ending a row early may depend on anything, even on the differences: the correction multiplies each
// probability by the number of looks.
static void interim_look(struct comparison* comparison) {
    verdicts_make(comparison);
    for (size_t i = 0; i < comparison->row_count; i++) {
        struct row* row = &comparison->rows[i];
        row->settled = row->settled || verdicts_are_settled(comparison, row);
    }
}

static bool is_look(const struct comparison* comparison, unsigned rounds) {
    for (unsigned i = 0; i < comparison->look_count; i++)
        if (comparison->looks[i] == rounds) return true;
    return false;
}

static bool are_all_settled(const struct comparison* comparison) {
    for (size_t i = 0; i < comparison->row_count; i++)
        if (!comparison->rows[i].settled) return false;
    return true;
}

static int run_rounds(struct work* work) {
    struct comparison* comparison = work->comparison;
    const unsigned most = comparison->looks[comparison->look_count - 1];
    const double first = workload_clock();
    double last = 0;  // length of the last round
    comparison->seconds_before_rounds = first - work->started;
    for (unsigned round = 0; round < most && !are_all_settled(comparison); round++) {
        const double began = workload_clock();
        comparison->out_of_time = round > 1 && comparison->rounds_fixed == 0 && began + last >= work->deadline;
        if (comparison->out_of_time) return STATUS_OK;
        int status = run_round(work, (int)round);
        if (status != STATUS_OK) return status;
        if (is_look(comparison, round + 1)) interim_look(comparison);
        last = workload_clock() - began;
        comparison->seconds_of_a_round = (workload_clock() - first) / (round + 1);
    }
    return STATUS_OK;
}

// Extra measurements that would disturb the timing.

static int run_extra(struct work* work, struct row* row, size_t subject, const char* what, const char* key) {
    struct comparison* comparison = work->comparison;
    struct cell* cell = row->cells[subject];
    struct worker_job job = job_of(comparison, &comparison->subjects[subject], row);
    struct worker_figures figures;
    struct failure failure = {.round = NO_ROUND};
    size_t said = strlen(cell->extra), named = (size_t)snprintf(failure.what, sizeof failure.what, "%s run: ", what);
    job.keys[0] = key;
    job.seed = comparison->seed;
    job.more = cell->extra + said;
    job.more_size = sizeof cell->extra - said;
    job.failure = failure.what + named;
    job.failure_size = sizeof failure.what - named;
    struct crash_of of = {comparison, &failure};
    job.crashed = on_crash;
    job.crash_context = &of;
    enum worker_end end = worker_run(&job, &figures);
    if (end != WORKER_OK) cell->extra[said] = '\0';
    if (end == WORKER_FAILED) note_failure(cell, &failure);
    return end == WORKER_STOPPED ? STATUS_STOPPED : STATUS_OK;
}

static int run_extras_of(struct work* work, struct row* row, const char* sampled) {
    struct comparison* comparison = work->comparison;
    for (size_t i = 0; i < comparison->subject_count; i++) {
        size_t subject = (comparison->baseline + i) % comparison->subject_count;
        const struct cell* cell = row->cells[subject];
        if (cell->unbroken > 0) continue;
        show_progress(work, "latency and memory over time");
        int status = run_extra(work, row, subject, "latency", "latency=1");
        if (status == STATUS_OK && cell->unbroken == 0) status = run_extra(work, row, subject, "memory", sampled);
        if (status != STATUS_OK) return status;
        if (i == 0 && cell->unbroken > 0) break;  // the baseline's run shows whether they can be measured
    }
    return STATUS_OK;
}

static int run_extras(struct work* work) {
    struct comparison* comparison = work->comparison;
    char sampled[32];
    int status = STATUS_OK;
    snprintf(sampled, sizeof sampled, "rss_every=%.0f", fmax(1, comparison->seconds * 1000 / RSS_POINTS));
    for (size_t i = 0; i < comparison->row_count && status == STATUS_OK; i++)
        status = run_extras_of(work, &comparison->rows[i], sampled);
    return status;
}

static double fastest(const struct comparison* comparison, const struct row* row) {
    static double rates[ROUNDS_MAX];
    double best = 0;
    for (size_t i = 0; i < comparison->subject_count; i++) {
        size_t count = 0;
        for (unsigned round = 0; round < row->rounds; round++)
            if (row->cells[i]->samples[round].present) rates[count++] = row->cells[i]->samples[round].ops_per_sec;
        if (count > 0) best = fmax(best, statistics_median(rates, count));
    }
    return best;
}

static enum worker_end run_limit(struct comparison* comparison, struct row* row) {
    const struct subject none = {.name = "limit"};
    struct worker_job job = job_of(comparison, &none, row);
    struct worker_figures figures;
    char failure[256];
    job.keys[0] = "limit=1";
    job.seed = comparison->seed;
    job.failure = failure;
    job.failure_size = sizeof failure;
    enum worker_end end = worker_run(&job, &figures);
    if (end == WORKER_OK) row->limit = fmax(row->limit, figures.ops_per_sec);
    return end;
}

// What is slower than an allocator is no limit: something disturbed it, so it is measured again.
static int run_limits(struct work* work) {
    enum { TRIES = 5 };
    struct comparison* comparison = work->comparison;
    for (size_t i = 0; i < comparison->row_count; i++) {
        struct row* row = &comparison->rows[i];
        const double least = fastest(comparison, row);
        enum worker_end end = WORKER_OK;
        for (int tries = 0; tries < TRIES && end == WORKER_OK && (tries == 0 || row->limit < least); tries++)
            end = run_limit(comparison, row);
        if (end == WORKER_STOPPED) return STATUS_STOPPED;
        row->limit_is_wrong = row->limit > 0 && row->limit < least;
        if (row->limit_is_wrong) row->limit = 0;
    }
    return STATUS_OK;
}

int measure_all(struct comparison* comparison) {
    struct work work = {
        .comparison = comparison,
        .started = workload_clock(),
        .random = comparison->seed,
        .bar = progress_bar_wanted(comparison->quiet),
    };
    struct shortage_watch watch;
    work.deadline = work.started + comparison->budget;
    shortage_begin(&watch);
    int status = run_round(&work, WARM_UP);  // first, because it shows what is missing
    if (status == STATUS_OK) status = measure_aa(&work);
    if (status == STATUS_OK) status = run_rounds(&work);
    if (status == STATUS_OK && comparison->command == NULL) status = run_limits(&work);
    if (status == STATUS_OK && comparison->command == NULL) status = run_extras(&work);
    comparison->shortage = shortage_end(&watch);
    if (work.bar) progress_bar_clear();
    return status;
}
