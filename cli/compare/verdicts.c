#include "compare/verdicts.h"

#include <math.h>
#include <stdlib.h>

static double value_of(const struct row* row, const struct sample* sample, enum metric metric) {
    if (metric == METRIC_RSS_PEAK) return (double)sample->rss_peak_kib;
    if (metric == METRIC_RSS_FREED) return (double)sample->rss_freed_kib;
    if (row->workload != NULL) return sample->ops_per_sec;
    return sample->seconds > 0 ? 1 / sample->seconds : 0;  // above 1 is always faster
}

// For each round in which both have a sample.
static size_t take_logs(const struct comparison* comparison, const struct row* row, size_t subject, enum metric metric,
                        double logs[ROUNDS_MAX]) {
    const struct cell *cell = row->cells[subject], *baseline = row->cells[comparison->baseline];
    size_t count = 0;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        const struct sample *ours = &cell->samples[round], *theirs = &baseline->samples[round];
        if (!ours->present || !theirs->present) continue;
        double a = value_of(row, ours, metric), b = value_of(row, theirs, metric);
        if (a > 0 && b > 0) logs[count++] = log(a / b);
    }
    return count;
}

static bool has_failed(const struct comparison* comparison, const struct row* row, size_t subject) {
    return row->cells[subject]->failed > 0 || row->cells[comparison->baseline]->failed > 0;
}

static void estimate(struct comparison* comparison, struct verdict** known, size_t* count) {
    for (size_t i = 0; i < comparison->row_count; i++) {
        const struct row* row = &comparison->rows[i];
        for (size_t j = 0; j < comparison->subject_count; j++) {
            if (j == comparison->baseline) continue;
            for (int metric = 0; metric < METRICS; metric++) {
                double logs[ROUNDS_MAX];
                size_t pairs = take_logs(comparison, row, j, (enum metric)metric, logs);
                if (pairs == 0) continue;
                struct verdict* verdict = &row->cells[j]->verdicts[metric];
                *verdict = (struct verdict){.known = true};
                verdict->estimate = statistics_of_ratios(logs, pairs, comparison->seed);
                known[(*count)++] = verdict;
            }
        }
    }
}

// Each interim look at the data counts as another family of tests.
static void correct(const struct comparison* comparison, struct verdict** known, size_t count) {
    double* p = calloc(count + 1, sizeof *p);
    for (size_t i = 0; i < count; i++)
        if (p != NULL) p[i] = fmin(1, known[i]->estimate.p * comparison->look_count);
    if (p != NULL) statistics_holm(p, count);
    for (size_t i = 0; i < count; i++) {
        known[i]->p_corrected = p != NULL ? p[i] : 1;
        known[i]->claim = statistics_claim(&known[i]->estimate, known[i]->p_corrected);
    }
    free(p);
}

static bool lacks_only_rounds(const struct verdict* verdict) {
    return verdict->claim == 0 && statistics_claim(&verdict->estimate, 0) != 0;
}

static bool has_interval(const struct verdict* verdict) {
    return verdict->estimate.pairs >= 2;
}

static void note_too_few_rounds(struct comparison* comparison, struct verdict** known, size_t count) {
    if (count > 0) comparison->rounds_needed = (unsigned)statistics_pairs_needed(count, comparison->look_count);
    for (size_t i = 0; i < count; i++)
        known[i]->too_few_rounds = !has_interval(known[i]) || (lacks_only_rounds(known[i]) &&
                                                               known[i]->estimate.pairs < comparison->rounds_needed);
}

static void claim_nothing(struct verdict* verdict) {
    verdict->claim = 0;
    verdict->too_few_rounds = !has_interval(verdict);
}

void verdicts_make(struct comparison* comparison) {
    static struct verdict* known[ROWS_MAX * SUBJECTS_MAX * METRICS];
    size_t count = 0;
    estimate(comparison, known, &count);
    correct(comparison, known, count);
    note_too_few_rounds(comparison, known, count);
    for (size_t i = 0; i < comparison->row_count; i++)
        for (size_t j = 0; j < comparison->subject_count; j++)
            for (int metric = 0; metric < METRICS; metric++)
                if (has_failed(comparison, &comparison->rows[i], j))
                    claim_nothing(&comparison->rows[i].cells[j]->verdicts[metric]);
}

static bool is_narrow(const struct comparison* comparison, const struct estimate* found) {
    return (found->high - found->low) / 2 <= comparison->precision * found->ratio;
}

bool verdicts_are_settled(const struct comparison* comparison, const struct row* row) {
    for (size_t j = 0; j < comparison->subject_count; j++) {
        const struct verdict* speed = &row->cells[j]->verdicts[METRIC_SPEED];
        // a cell with failures will claim nothing, so more rounds do not help
        if (j == comparison->baseline || !speed->known || has_failed(comparison, row, j)) continue;
        if (!is_narrow(comparison, &speed->estimate) || lacks_only_rounds(speed)) return false;
    }
    return true;
}

struct estimate verdicts_geometric_mean(const struct comparison* comparison, size_t subject, enum metric metric) {
    static double logs[ROWS_MAX][ROUNDS_MAX];
    const double* rows[ROWS_MAX];
    size_t counts[ROWS_MAX], used = 0;
    for (size_t i = 0; i < comparison->row_count; i++) {
        counts[used] = take_logs(comparison, &comparison->rows[i], subject, metric, logs[used]);
        rows[used] = logs[used];
        if (counts[used] > 0) used++;
    }
    return statistics_geometric_mean(rows, counts, used, comparison->seed);
}
