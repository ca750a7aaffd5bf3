#include "report/page_coverage.h"

#include "base/json.h"
#include "report/page_view.h"

#include <inttypes.h>
#include <string.h>

void page_coverage_add(struct page_coverage* coverage, pid_t thread, uint64_t root) {
    struct process_memory memory;
    struct page_view view;
    uint64_t covered, passed;
    process_memory_open(&memory, thread);
    if (page_view_open(&view, &memory, root) && page_view_counts(&view, &covered, &passed)) {
        coverage->processes++;
        coverage->covered += covered;
        coverage->passed += passed;
        coverage->by_guards = view.by_guards;
    }
    process_memory_close(&memory);
}

// Rounded down: 100 % is all of them.
static double percent(const struct page_coverage* coverage) {
    uint64_t all = coverage->covered + coverage->passed;
    return all != 0 ? (double)(coverage->covered * 1000 / all) / 10 : 0;
}

json_t* page_coverage_json(const struct page_coverage* coverage) {
    json_t* json = json_object();
    json_put_count(json, "processes", coverage->processes);
    json_put_count(json, "blocks", coverage->covered + coverage->passed);
    json_put_count(json, "covered", coverage->covered);
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
    char blocks[32];
    group_digits(coverage->covered + coverage->passed, blocks);
    if (strcmp(blocks, "0") == 0)
        fputs("run: no block got pages of its own\n", out);
    else
        fprintf(out, "run: pages of their own covered %.1f %% of %s block%s in %zu process%s\n", percent(coverage),
                blocks, strcmp(blocks, "1") == 0 ? "" : "s", coverage->processes, coverage->processes == 1 ? "" : "es");
}
