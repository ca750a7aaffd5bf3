#include "compare/document.h"

#include "base/error.h"
#include "base/json.h"
#include "compare/again.h"
#include "compare/verdicts.h"
#include "results/results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t* number(double value) {
    return isfinite(value) ? json_real(value) : json_null();  // JSON has no infinity
}

static void put_number(json_t* object, const char* key, double value) {
    json_object_set_new(object, key, number(value));
}

static void put_text_or_null(json_t* object, const char* key, const char* text) {
    json_object_set_new(object, key, text[0] != '\0' ? json_text(text) : json_null());
}

// Allocators

static void set_variable(json_t* variables, const char* entry) {
    char name[128];
    const char* equals = strchr(entry, '=');
    if (equals == NULL) return;
    snprintf(name, sizeof name, "%.*s", (int)(equals - entry), entry);
    json_put_text(variables, name, equals + 1);
}

static json_t* subject_to_json(const struct subject* subject) {
    json_t *object = json_object(), *variables = json_object();
    for (size_t i = 0; subject->variables[i] != NULL; i++) set_variable(variables, subject->variables[i]);
    json_put_text(object, "name", subject->name);
    put_text_or_null(object, "path", subject->path);
    put_text_or_null(object, "version", subject->version);
    put_text_or_null(object, "build_id", subject->build_id);
    json_object_set_new(object, "environment", variables);
    put_text_or_null(object, "loaded_from", subject->loaded_from);
    return object;
}

// Our own variables that allocators read, and that all of them got.
static json_t* common_environment(void) {
    static const char* const prefixes[] = {"HAKMEM_", "MALLOC_", "GLIBC_TUNABLES", "MIMALLOC_", "TCMALLOC_", "SCUDO_"};
    json_t* variables = json_object();
    for (char** entry = environ; *entry != NULL; entry++)
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
            if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0) set_variable(variables, *entry);
    return variables;
}

// Samples

static void set_sample(json_t* object, const struct row* row, const struct sample* sample) {
    bool worker = row->workload != NULL;
    json_object_set_new(object, "ops_per_sec", worker ? number(sample->ops_per_sec) : json_null());
    put_number(object, "seconds", sample->seconds);
    put_number(object, "user_seconds", sample->user_seconds);
    put_number(object, "system_seconds", sample->system_seconds);
    json_put_count(object, "rss_peak_kib", sample->rss_peak_kib);
    json_object_set_new(object, "rss_freed_kib",
                        worker ? json_integer((json_int_t)sample->rss_freed_kib) : json_null());
    json_put_count(object, "minor_faults", sample->minor_faults);
    json_put_count(object, "major_faults", sample->major_faults);
}

static json_t* samples_to_json(const struct row* row, const struct cell* cell) {
    json_t* samples = json_array();
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!cell->samples[round].present) continue;
        json_t* sample = json_object();
        json_put_whole(sample, "round", round);
        set_sample(sample, row, &cell->samples[round]);
        json_array_append_new(samples, sample);
    }
    return samples;
}

static json_t* medians(json_t* samples) {
    double values[ROUNDS_MAX];
    const char* key;
    json_t *value, *all = json_object(), *first = json_array_get(samples, 0);
    json_object_foreach(first, key, value) {
        size_t count = 0;
        if (strcmp(key, "round") == 0) continue;
        for (size_t i = 0; i < json_array_size(samples); i++)
            values[count++] = json_get_number(json_array_get(samples, i), key);
        double middle = statistics_median(values, count);
        json_object_set_new(all, key, json_is_null(value) ? json_null() : number(middle));
    }
    return all;
}

static json_t* failure_to_json(const struct failure* failure) {
    json_t* object = json_object();
    json_object_set_new(object, "round", failure->round != NO_ROUND ? json_integer(failure->round) : json_null());
    json_put_text(object, "what", failure->what);
    if (failure->report[0] != '\0') json_put_text(object, "report", failure->report);
    if (failure->again[0] != '\0') json_put_text(object, "again", failure->again);
    return object;
}

static json_t* failures_to_json(const struct cell* cell) {
    json_t* failures = json_array();
    for (unsigned i = 0; i < cell->failed && i < FAILURES_MAX; i++)
        json_array_append_new(failures, failure_to_json(&cell->failures[i]));
    return failures;
}

static const char* claim_of(const struct verdict* verdict, const char* above, const char* below) {
    if (verdict->claim != 0) return verdict->claim > 0 ? above : below;
    return verdict->too_few_rounds ? "too few rounds to claim" : "no difference shown";
}

static json_t* verdict_to_json(const struct verdict* verdict, const char* above, const char* below) {
    if (!verdict->known) return json_null();
    json_t* object = json_object();
    put_number(object, "ratio", verdict->estimate.ratio);
    put_number(object, "low", verdict->estimate.low);
    put_number(object, "high", verdict->estimate.high);
    put_number(object, "p", verdict->estimate.p);
    put_number(object, "p_corrected", verdict->p_corrected);
    json_put_text(object, "claim", claim_of(verdict, above, below));
    return object;
}

static json_t* ratios_to_json(const struct cell* cell) {
    json_t* ratios = json_object();
    json_object_set_new(ratios, "speed", verdict_to_json(&cell->verdicts[METRIC_SPEED], "faster", "slower"));
    json_object_set_new(ratios, "rss_peak", verdict_to_json(&cell->verdicts[METRIC_RSS_PEAK], "more", "less"));
    json_object_set_new(ratios, "rss_freed", verdict_to_json(&cell->verdicts[METRIC_RSS_FREED], "more", "less"));
    return ratios;
}

// The worker's output in the extra runs; null if there was none of that kind.

// "A:B,A:B,..." up to the end of the line.
static json_t* points_to_json(const char* text) {
    json_t* points = json_array();
    double x, y;
    int used;
    while (sscanf(text, "%lf:%lf%n", &x, &y, &used) == 2) {
        json_array_append_new(points, json_pack("[f, f]", x, y));
        text += used;
        if (*text++ != ',') break;
    }
    return points;
}

static const char* line_after(const char* text, const char* start) {
    for (; text != NULL && *text != '\0'; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, start, strlen(start)) == 0) return text + strlen(start);
    }
    return NULL;
}

static json_t* percentiles_to_json(const char* line) {
    double p50, p99, p999, max, count;
    int used = 0;
    if (line == NULL || sscanf(line, "p50=%lf p99=%lf p999=%lf max=%lf count=%lf curve=%n", &p50, &p99, &p999, &max,
                               &count, &used) != 5)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f, s:I, s:o}", "p50", p50, "p99", p99, "p999", p999, "max", max, "count",
                     (json_int_t)count, "curve", points_to_json(used > 0 ? line + used : ""));
}

static json_t* latency_to_json(const struct cell* cell) {
    json_t* taken = percentiles_to_json(line_after(cell->extra, "latency malloc "));
    json_t* given = percentiles_to_json(line_after(cell->extra, "latency free "));
    if (!json_is_null(taken) && !json_is_null(given)) return json_pack("{s:o, s:o}", "malloc", taken, "free", given);
    json_decref(taken);
    json_decref(given);
    return json_null();
}

static json_t* memory_to_json(const struct cell* cell) {
    const char* line = line_after(cell->extra, "rss ");
    return line != NULL ? points_to_json(line) : json_null();
}

// Rows

static json_t* cell_to_json(const struct comparison* comparison, const struct row* row, size_t subject) {
    const struct cell* cell = row->cells[subject];
    json_t *object = json_object(), *samples = samples_to_json(row, cell);
    json_put_text(object, "name", comparison->subjects[subject].name);
    json_object_set_new(object, "samples", samples);
    json_object_set_new(object, "failures", failures_to_json(cell));
    json_put_whole(object, "failed", cell->failed);
    json_object_set_new(object, "median", medians(samples));
    json_object_set_new(object, "ratio", subject == comparison->baseline ? json_null() : ratios_to_json(cell));
    json_object_set_new(object, "latency", latency_to_json(cell));
    json_object_set_new(object, "rss_over_time", memory_to_json(cell));
    return object;
}

static json_t* params_to_json(const struct row* row) {
    json_t* params = json_object();
    for (size_t i = 0; row->workload != NULL && row->workload->params[i].name != NULL; i++)
        json_put_count(params, row->workload->params[i].name, row->params[i]);
    return params;
}

static json_t* command_to_json(const struct row* row) {
    if (row->command == NULL) return json_null();
    json_t* words = json_array();
    for (size_t i = 0; row->command[i] != NULL; i++) {
        json_t* word = json_text(row->command[i]);
        json_array_append_new(words, word != NULL ? word : json_string("(not UTF-8)"));
    }
    return words;
}

// A value that is a number becomes one, so that an axis can be made of it.
static json_t* value_to_json(const char* text) {
    char* end;
    double value = strtod(text, &end);
    bool is_number = end != text && *end == '\0' && isfinite(value);
    return is_number ? json_real(value) : json_text(text);
}

static json_t* sweep_to_json(const struct comparison* comparison, const struct row* row) {
    if (row->swept == NULL) return json_null();
    json_t *sweep = json_object(), *value = value_to_json(row->swept);
    json_put_text(sweep, "of", row->of);
    json_put_text(sweep, "parameter", comparison->sweep.name);
    json_put_text(sweep, "text", row->swept);
    json_object_set_new(sweep, "value", value != NULL ? value : json_null());
    return sweep;
}

static json_t* row_to_json(const struct comparison* comparison, const struct row* row) {
    json_t *object = json_object(), *cells = json_array();
    const struct workload* workload = row->workload;
    for (size_t i = 0; i < comparison->subject_count; i++)
        json_array_append_new(cells, cell_to_json(comparison, row, i));
    json_put_text(object, "name", row->name);
    json_object_set_new(object, "command", command_to_json(row));
    json_object_set_new(object, "sweep", sweep_to_json(comparison, row));
    json_put_text(object, "source", workload != NULL ? workload->source : "the user's own command");
    json_put_text(object, "stresses", workload != NULL ? workload->stresses : "whatever the command does");
    json_object_set_new(object, "params", params_to_json(row));
    json_put_count(object, "threads", row->threads);
    json_put_count(object, "roles", workload != NULL && workload->roles != 0 ? workload->roles : 1);
    json_put_whole(object, "rounds", row->rounds);
    json_put_text(object, "metric", workload != NULL ? "ops_per_sec" : "seconds");
    json_put_bool(object, "higher_is_better", workload != NULL);
    json_object_set_new(object, "limit",
                        row->limit > 0 ? json_pack("{s:f, s:s}", "value", row->limit, "unit", "ops_per_sec")
                                       : json_null());
    json_put_bool(object, "limit_is_wrong", row->limit_is_wrong);
    json_object_set_new(object, "allocators", cells);
    return object;
}

// A row that was not begun is left out. One that was stopped is reported, even in its first round.
static bool was_begun(const struct comparison* comparison, const struct row* row) {
    for (size_t i = 0; i < comparison->subject_count; i++) {
        const struct cell* cell = row->cells[i];
        if (cell->failed > 0) return true;
        for (int round = 0; round < ROUNDS_MAX; round++)
            if (cell->samples[round].present) return true;
    }
    return false;
}

static json_t* mean_to_json(const struct comparison* comparison, size_t subject, enum metric metric) {
    struct estimate mean = verdicts_geometric_mean(comparison, subject, metric);
    if (mean.pairs == 0) return json_null();
    return json_pack("{s:o, s:o, s:o}", "ratio", number(mean.ratio), "low", number(mean.low), "high",
                     number(mean.high));
}

static json_t* means_to_json(const struct comparison* comparison) {
    json_t* means = json_array();
    for (size_t i = 0; i < comparison->subject_count; i++) {
        size_t rows = verdicts_geometric_mean(comparison, i, METRIC_SPEED).pairs;
        if (i == comparison->baseline || rows == 0) continue;
        json_t* mean = json_object();
        json_put_text(mean, "name", comparison->subjects[i].name);
        json_put_count(mean, "workloads", rows);
        json_object_set_new(mean, "speed", mean_to_json(comparison, i, METRIC_SPEED));
        json_object_set_new(mean, "rss_peak", mean_to_json(comparison, i, METRIC_RSS_PEAK));
        json_array_append_new(means, mean);
    }
    return means;
}

static json_t* aa_to_json(const struct comparison* comparison) {
    const struct aa* aa = &comparison->aa;
    if (!aa->done) return json_null();
    json_t* object = json_object();
    json_put_text(object, "allocator", comparison->subjects[comparison->baseline].name);
    json_put_text(object, "workload", "pair");
    json_put_whole(object, "rounds", aa->rounds);
    put_number(object, "ratio", aa->estimate.ratio);
    put_number(object, "low", aa->estimate.low);
    put_number(object, "high", aa->estimate.high);
    put_number(object, "p", aa->estimate.p);
    json_put_real(object, "may_claim", STATISTICS_LEAST_DIFFERENCE);
    json_put_real(object, "may_vary", comparison->noise);
    json_put_bool(object, "claimed", statistics_claim(&aa->estimate, aa->estimate.p) != 0);
    json_put_bool(object, "trustworthy", aa->trustworthy);
    return object;
}

static json_t* shortage_to_json(const struct shortage* shortage) {
    json_t* object = json_object();
    json_object_set_new(object, "waited", shortage->waited >= 0 ? number(shortage->waited) : json_null());
    put_number(object, "preempted_per_second", shortage->preempted);
    json_put_bool(object, "short", shortage->is_short);
    return object;
}

static unsigned most_rounds(const struct comparison* comparison) {
    unsigned most = 0;
    for (size_t i = 0; i < comparison->row_count; i++)
        if (comparison->rows[i].rounds > most) most = comparison->rows[i].rounds;
    return most;
}

// The budget that would have sufficed for the rounds that a claim needs, given the length of these rounds. Null if time
// was not the problem.
static json_t* budget_needed(const struct comparison* comparison, int status) {
    const double room = 1.1, step = 10, round = comparison->seconds_of_a_round;
    bool lacks_time = comparison->out_of_time || (status == STATUS_STOPPED && comparison->rounds_fixed == 0);
    if (!lacks_time || round <= 0 || most_rounds(comparison) >= comparison->rounds_needed) return json_null();
    double seconds = comparison->seconds_before_rounds + comparison->rounds_needed * round;
    return number(ceil(seconds * room / step) * step);
}

static json_t* stopped_by(const struct comparison* comparison, int status) {
    if (status == STATUS_STOPPED) return json_string("signal");
    return comparison->out_of_time ? json_string("time") : json_null();
}

json_t* document_new(const struct args* args, const struct comparison* comparison, int status) {
    char again[AGAIN_BYTES];
    json_t *document = result_new(args, "compare"), *subjects = json_array(), *rows = json_array();
    for (size_t i = 0; i < comparison->subject_count; i++)
        json_array_append_new(subjects, subject_to_json(&comparison->subjects[i]));
    for (size_t i = 0; i < comparison->row_count; i++)
        if (status != STATUS_UNTRUSTED && was_begun(comparison, &comparison->rows[i]))
            json_array_append_new(rows, row_to_json(comparison, &comparison->rows[i]));
    again_describe(args, comparison->seed, again, sizeof again);
    json_put_text(document, "again", again);
    json_put_count(document, "seed", comparison->seed);
    json_put_whole(document, "rounds", most_rounds(comparison));
    json_object_set_new(document, "rounds_needed",
                        comparison->rounds_needed > 0 ? json_integer(comparison->rounds_needed) : json_null());
    json_object_set_new(document, "budget_needed", budget_needed(comparison, status));
    json_put_whole(document, "looks", comparison->look_count);
    json_object_set_new(document, "run_seconds",
                        comparison->command == NULL ? number(comparison->seconds) : json_null());
    json_put_bool(document, "pinned", comparison->pinned);
    json_put_bool(document, "complete", status != STATUS_STOPPED && status != STATUS_UNTRUSTED);
    json_object_set_new(document, "stopped_by", stopped_by(comparison, status));
    json_put_text(document, "baseline", comparison->subjects[comparison->baseline].name);
    json_object_set_new(document, "environment", common_environment());
    json_object_set_new(document, "allocators", subjects);
    json_object_set_new(document, "aa", aa_to_json(comparison));
    json_object_set_new(document, "processor", shortage_to_json(&comparison->shortage));
    json_object_set_new(document, "workloads", rows);
    json_object_set_new(document, "geometric_mean", means_to_json(comparison));
    return document;
}
