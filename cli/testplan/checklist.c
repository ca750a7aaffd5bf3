// What had to be verified after the changes, and what in the runs proves it.
#include "testplan/specified.h"

#include "binary/build_id.h"

#include <hakmem/hakmem.h>

#include <stdarg.h>
#include <string.h>

struct checked_site {
    const char* site;  // as in foreign_drains
    const char* line;
    enum specified_test without;  // the run in which its change was missing
};

static const struct checked_site sites[] = {
    {"superslab_refill", "Fix #1 (superslab_refill Priority 1 drain, lib/refill/tls_slab.c) removed", BEFORE_REPRO},
    {"alloc_superslab", "Fix #2 (hak_tiny_alloc_superslab drain, lib/refill/refill.c) removed", BEFORE_REPRO},
    {"sticky", "Sticky path (lib/refill/sticky.c) reordered: ownership BEFORE drain", FIRST_TWO_REPRO},
    {"hot", "Hot slot path (lib/refill/hot.c) reordered: ownership BEFORE drain", FIRST_TWO_REPRO},
    {"bench", "Bench path (lib/refill/bench.c) reordered: ownership BEFORE drain", FIRST_TWO_REPRO},
    {"mmap_gate", "mmap_gate path (lib/refill/mmap_gate.c) reordered: ownership BEFORE drain", FIRST_TWO_REPRO},
};

static void prove(struct check_line* line, enum mark mark, const char* format, ...)
    __attribute__((format(printf, 3, 4)));
static void prove(struct check_line* line, enum mark mark, const char* format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(line->proof, sizeof line->proof, format, args);
    va_end(args);
    line->mark = mark;
}

static void title(struct check_line* line, const char* text) {
    snprintf(line->line, sizeof line->line, "%s", text);
}

// How often a run reached the place where the drain was.
static json_int_t visits(const struct test* test, const char* site) {
    char counter[64];
    if (strcmp(site, "alloc_superslab") == 0) return test_counter(test, "tls_slab_tried");  // every refill
    if (strcmp(site, "superslab_refill") == 0)
        return test_counter(test, "tls_slab_tried") - test_counter(test, "tls_slab_hit");
    snprintf(counter, sizeof counter, "%s_tried", site);
    return test_counter(test, counter);
}

static enum mark mark_of(bool proven, bool refuted) {
    if (refuted) return MARK_BAD;
    return proven ? MARK_GOOD : MARK_OPEN;
}

// " (stopped)" after what an incomplete run measured.
static const char* reservation(const struct test* test) {
    if (test_is_complete(test)) return "";
    return test->result != NULL ? " (stopped)" : " (not run)";
}

// Half of the proof is that the counter of foreign drains does count if the change is missing.
static void contrast(const struct test* without, const char* site, char* out, size_t size) {
    char result[256];
    test_describe_result(without, result, sizeof result);
    json_int_t drains = test_foreign_drains(without, site);
    if (!test_is_complete(without))
        snprintf(out, size, "without it: %s", test_outcome(without));
    else if (drains == 0)
        snprintf(out, size, "without it and others: %s, before this site met a foreign slab; see testplan --each",
                 result);
    else
        snprintf(out, size, "without it (--changes %s): %lld, and %s", without->spec->changes, (long long)drains,
                 result);
}

static void check_site(const struct test* tests, const struct checked_site* site, struct check_line* line) {
    char missing[400];
    const struct test* all = &tests[ALL_REPRO];
    json_int_t drains = test_foreign_drains(all, site->site), seen = visits(all, site->site);
    contrast(&tests[site->without], site->site, missing, sizeof missing);
    title(line, site->line);
    prove(line, mark_of(test_as_expected(all) && seen > 0, drains > 0),
          "with all changes%s: %lld drains of another thread's slab in %lld visits; %s", reservation(all),
          (long long)drains, (long long)seen, missing);
}

static void check_mailbox(const struct test* tests, struct check_line* line) {
    const struct test* all = &tests[ALL_REPRO];
    json_int_t tried = test_counter(all, "mailbox_tried"), hit = test_counter(all, "mailbox_hit");
    title(line, "Fix #3 (mailbox path, lib/refill/mailbox.c) unchanged: it was correct before");
    prove(line, mark_of(test_as_expected(all) && hit > 0, false),
          "it has no switch; with all changes%s it was tried %lld times and found a slab %lld times, without a fault",
          reservation(all), (long long)tried, (long long)hit);
}

static void check_build(struct check_line* line) {
    char id[BUILD_ID_TEXT_MAX];
    bool known = build_id(id, sizeof id);
    title(line, "All changes compile without errors");
    prove(line, MARK_GOOD, "this program runs: hakstress %s, compiled by %s, build id %s; each test runs it again",
          hak_version(), __VERSION__, known ? id : "none");
}

static void check_length(const struct test* tests, struct check_line* line) {
    static const double asked = 30;
    double repro = test_duration(&tests[ALL_REPRO]), guard = test_duration(&tests[ALL_GUARD]);
    bool clean = test_as_expected(&tests[ALL_REPRO]) && test_as_expected(&tests[ALL_GUARD]);
    bool complete = test_is_complete(&tests[ALL_REPRO]) && test_is_complete(&tests[ALL_GUARD]);
    bool long_enough = repro >= asked && guard >= asked;
    title(line, "Benchmark runs without crashes for 30+ seconds");
    prove(line, mark_of(clean && long_enough, complete && !clean),
          "Larson with 20 threads: repro %.1f s%s, guard %.1f s%s%s", repro, reservation(&tests[ALL_REPRO]), guard,
          reservation(&tests[ALL_GUARD]),
          clean && !long_enough ? ": too short to prove it; testplan without --quick runs 30 s" : "");
}

size_t checklist_make(const struct test* tests, struct check_line lines[CHECK_LINES_MAX]) {
    enum { BEFORE_MAILBOX = 2, SITES = sizeof sites / sizeof sites[0] };
    size_t count = 0;
    for (size_t i = 0; i < SITES; i++) {
        if (i == BEFORE_MAILBOX) check_mailbox(tests, &lines[count++]);
        check_site(tests, &sites[i], &lines[count++]);
    }
    check_build(&lines[count++]);
    check_length(tests, &lines[count++]);
    return count;
}
