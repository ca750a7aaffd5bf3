#include "report/page_coverage.h"

#include "base/json.h"

#include <inttypes.h>

void page_coverage_add(struct page_coverage* coverage, pid_t thread, uint64_t root) {
    struct process_memory memory;
    struct page_view view;
    struct page_counts counts;
    process_memory_open(&memory, thread);
    if (page_view_open(&view, &memory, root) && page_view_counts(&view, &counts)) {
        coverage->processes++;
        coverage->counts.covered += counts.covered;
        coverage->counts.passed += counts.passed;
        coverage->counts.yielded += counts.yielded;
        coverage->by_guards = view.by_guards;
    }
    process_memory_close(&memory);
}

static uint64_t blocks(const struct page_coverage* coverage) {
    return coverage->counts.covered + coverage->counts.passed;
}

// Rounded down: 100 % is all of them.
static double percent(const struct page_coverage* coverage) {
    uint64_t all = blocks(coverage), tenths = all != 0 ? coverage->counts.covered * 1000 / all : 0;
    return (double)tenths / 10;
}

json_t* page_coverage_json(const struct page_coverage* coverage) {
    json_t* json = json_object();
    json_put_count(json, "processes", coverage->processes);
    json_put_count(json, "blocks", blocks(coverage));
    json_put_count(json, "covered", coverage->counts.covered);
    json_put_count(json, "yielded", coverage->counts.yielded);
    json_put_real(json, "percent", percent(coverage));
    json_put_bool(json, "by_guards", coverage->by_guards);
    return json;
}

// 780950 as "780,950".
static void group_digits(uint64_t number, char out[32]) {
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[i];
        if ((length - i) % 3 == 1 && i + 1 < length) *out++ = ',';
    }
    *out = '\0';
}

void page_coverage_print(const struct page_coverage* coverage, FILE* out) {
    char all[32], yielded[32];
    group_digits(blocks(coverage), all);
    group_digits(coverage->counts.yielded, yielded);
    if (blocks(coverage) == 0) {
        fputs("run: no block got pages of its own\n", out);
        return;
    }
    fprintf(out, "run: pages of their own covered %.1f %% of %s block%s in %zu process%s", percent(coverage), all,
            blocks(coverage) == 1 ? "" : "s", coverage->processes, coverage->processes == 1 ? "" : "es");
    if (coverage->counts.yielded > 0) fprintf(out, ", %s of them only until mappings ran out", yielded);
    fputc('\n', out);
}
