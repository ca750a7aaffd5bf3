#include "compare/earlier.h"

#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "compare/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROUNDS = 5 };

static const struct metric_of {
    const char *name, *key;
    bool less_is_better;
} kinds[] = {{"speed", NULL, false}, {"rss_peak", "rss_peak_kib", true}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

bool earlier_is_file(const char* name) {
    return path_has_suffix(name, ".json");
}

json_t* earlier_load(const char* path) {
    json_error_t error;
    json_t* document = json_load_file(path, 0, &error);
    const char* kind = json_get_text(document, "kind");
    if (document == NULL)
        usage_error("cannot read %s: %s", path, error.text);
    else if (kind == NULL || strcmp(kind, "compare") != 0 || !json_is_array(json_object_get(document, "workloads")))
        usage_error("%s is no result of hakstress compare", path);
    else if (json_array_size(json_object_get(document, "workloads")) == 0)
        usage_error("%s has no measurements", path);
    else
        return document;
    json_decref(document);
    return NULL;
}

// Samples

static const json_t* by_name(const json_t* list, const char* name) {
    size_t i;
    const json_t* entry;
    json_array_foreach((json_t*)(uintptr_t)list, i, entry) {
        if (strcmp(json_get_text_or(entry, "name", ""), name) == 0) return entry;
    }
    return NULL;
}

static const json_t* of_round(const json_t* samples, json_int_t round) {
    size_t i;
    const json_t* sample;
    json_array_foreach((json_t*)(uintptr_t)samples, i, sample) {
        if (json_get_whole(sample, "round") == round) return sample;
    }
    return NULL;
}

static double value_of(const json_t* row, const json_t* sample, const struct metric_of* metric) {
    if (metric->key != NULL) return json_get_number(sample, metric->key);
    const char* key = json_get_text_or(row, "metric", "ops_per_sec");
    double value = json_get_number(sample, key);
    return json_get_bool(row, "higher_is_better") || value <= 0 ? value : 1 / value;
}

// The logarithms of the ratios to the baseline, of all rounds that both have.
static size_t take_logs(const json_t* row, const char* name, const char* baseline, const struct metric_of* metric,
                        double logs[STATISTICS_PAIRS_MAX]) {
    const json_t* cells = json_object_get(row, "allocators");
    const json_t *own = json_object_get(by_name(cells, name), "samples"), *sample;
    const json_t* others = json_object_get(by_name(cells, baseline), "samples");
    size_t i, count = 0;
    json_array_foreach((json_t*)(uintptr_t)own, i, sample) {
        double mine = value_of(row, sample, metric);
        double other = value_of(row, of_round(others, json_get_whole(sample, "round")), metric);
        if (mine > 0 && other > 0 && count < STATISTICS_PAIRS_MAX) logs[count++] = log(mine / other);
    }
    return count;
}

// The comparison

struct both {
    const json_t *now, *then;
    const char* baseline;
    double gate;
    uint64_t seed;
    json_t *rows, *left_out;
    size_t losses;
};

static bool is_loss(const struct both* both, const struct metric_of* metric, const struct estimate* estimate) {
    if (both->gate < 0) return false;
    return metric->less_is_better ? estimate->low > 1 + both->gate : estimate->high < 1 - both->gate;
}

static bool add_row(struct both* both, const json_t* now, const json_t* then, const char* name,
                    const struct metric_of* metric) {
    static double logs_now[STATISTICS_PAIRS_MAX], logs_then[STATISTICS_PAIRS_MAX];
    size_t now_count = take_logs(now, name, both->baseline, metric, logs_now);
    size_t then_count = take_logs(then, name, both->baseline, metric, logs_then);
    if (now_count < LEAST_ROUNDS || then_count < LEAST_ROUNDS) return false;
    struct estimate estimate = statistics_of_change(logs_now, now_count, logs_then, then_count, both->seed);
    bool loss = is_loss(both, metric, &estimate);
    both->losses += loss;
    json_t* row = json_object();
    json_object_set(row, "workload", json_object_get(now, "name"));
    json_put_text(row, "allocator", name);
    json_put_text(row, "metric", metric->name);
    json_put_real(row, "ratio", estimate.ratio);
    json_put_real(row, "low", estimate.low);
    json_put_real(row, "high", estimate.high);
    json_put_bool(row, "loss", loss);
    json_array_append_new(both->rows, row);
    return true;
}

static bool is_same_work(const json_t* now, const json_t* then) {
    static const char* const keys[] = {"params", "threads", "command", "metric"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_equal(json_object_get(now, keys[i]), json_object_get(then, keys[i])) != 1) return false;
    return true;
}

static void compare_workload(struct both* both, const json_t* now) {
    size_t i;
    const json_t* cell;
    const char* workload = json_get_text_or(now, "name", "");
    const json_t* then = by_name(json_object_get(both->then, "workloads"), workload);
    if (then != NULL && !is_same_work(now, then)) then = NULL;
    json_array_foreach(json_object_get(now, "allocators"), i, cell) {
        const char* name = json_get_text_or(cell, "name", "");
        bool any = false;
        if (strcmp(name, both->baseline) == 0) continue;
        for (size_t j = 0; then != NULL && j < KINDS; j++) any = add_row(both, now, then, name, &kinds[j]) || any;
        if (!any) json_array_append_new(both->left_out, json_format("%s under %s", workload, name));
    }
}

static json_t* machine_changes(const json_t* now, const json_t* then) {
    const char* key;
    const json_t* value;
    json_t* changes = json_array();
    json_object_foreach((json_t*)(uintptr_t)json_object_get(now, "machine"), key, value) {
        json_t* before = json_object_get(json_object_get(then, "machine"), key);
        if (before == NULL || json_equal(value, before) == 1) continue;
        json_t* change = json_object();
        json_put_text(change, "what", key);
        json_object_set(change, "then", before);
        json_object_set(change, "now", (json_t*)(uintptr_t)value);
        json_array_append_new(changes, change);
    }
    return changes;
}

json_t* earlier_compare(const json_t* now, const json_t* then, const char* path, double gate, uint64_t seed) {
    size_t i;
    const json_t* workload;
    struct both both = {.now = now,
                        .then = then,
                        .baseline = json_get_text_or(now, "baseline", ""),
                        .gate = gate,
                        .seed = seed,
                        .rows = json_array(),
                        .left_out = json_array()};
    json_array_foreach(json_object_get(now, "workloads"), i, workload) compare_workload(&both, workload);
    json_t* earlier = json_object();
    json_put_text(earlier, "file", path);
    json_put_text(earlier, "started", json_get_text(then, "started"));
    json_object_set_new(earlier, "gate", gate < 0 ? json_null() : json_real(gate));
    json_object_set_new(earlier, "machine", machine_changes(now, then));
    json_object_set_new(earlier, "rows", both.rows);
    json_object_set_new(earlier, "left_out", both.left_out);
    json_put_count(earlier, "losses", both.losses);
    return earlier;
}

void earlier_print(const json_t* earlier, FILE* out) {
    size_t i;
    const json_t* one;
    fprintf(out, "\nagainst %s of %s: ratios to the baseline, now relative to then\n",
            json_get_text_or(earlier, "file", "?"), json_get_text_or(earlier, "started", "?"));
    json_array_foreach(json_object_get(earlier, "machine"), i, one) {
        char* then = json_dumps(json_object_get(one, "then"), JSON_ENCODE_ANY);
        char* now = json_dumps(json_object_get(one, "now"), JSON_ENCODE_ANY);
        fprintf(out, "  this is not the machine of then: %s is %s, and was %s\n", json_get_text_or(one, "what", "?"),
                now != NULL ? now : "?", then != NULL ? then : "?");
        free(then);
        free(now);
    }
    json_array_foreach(json_object_get(earlier, "rows"), i, one) {
        bool speed = strcmp(json_get_text_or(one, "metric", ""), "speed") == 0;
        fprintf(out, "  %-16s %-16s %-9s %.3f [%.3f .. %.3f]%s\n", json_get_text_or(one, "workload", "?"),
                json_get_text_or(one, "allocator", "?"), speed ? "speed" : "peak RSS", json_get_number(one, "ratio"),
                json_get_number(one, "low"), json_get_number(one, "high"), json_get_bool(one, "loss") ? "  LOSS" : "");
    }
    json_array_foreach(json_object_get(earlier, "left_out"), i, one) fprintf(
        out, "  not compared: %s: both runs need %d rounds of the same work\n", json_string_value(one), LEAST_ROUNDS);
    if (json_is_number(json_object_get(earlier, "gate")))
        fprintf(out, "gate: %lld loss%s of more than %g %%\n", json_get_whole(earlier, "losses"),
                json_get_whole(earlier, "losses") == 1 ? "" : "es", 100 * json_get_number(earlier, "gate"));
}
