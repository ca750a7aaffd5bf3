// Each change missing by itself, in repro and in guard. The control is the mailbox, which was right from the start.
#include "testplan/plan.h"

#include "config/changes.h"

#include <string.h>

#define REPRO_SECONDS 60
#define GUARD_SECONDS 15

#define WITHOUT(site, changes)                                                                 \
    {"repro without " #site, "repro", NULL, REPRO_SECONDS, 4, changes, EXPECT_FAULT, #site}, { \
        "guard without " #site, "guard", NULL, GUARD_SECONDS, 4, changes, EXPECT_STOP, #site   \
    }

static const struct test_spec specs[] = {
    WITHOUT(superslab_refill, "2-6"),
    WITHOUT(alloc_superslab, "1,3-6"),
    WITHOUT(sticky, "1-2,4-6"),
    WITHOUT(hot, "1-3,5-6"),
    WITHOUT(bench, "1-4,6"),
    WITHOUT(mmap_gate, "1-5"),
    {"control: repro, the mailbox", "repro", NULL, 10, 4, "all", EXPECT_CLEAN, "mailbox"},
    {"control: guard, the mailbox", "guard", NULL, 5, 4, "all", EXPECT_CLEAN, "mailbox"},
};

enum { TESTS = sizeof specs / sizeof specs[0], CONTROL = TESTS - 2 };
_Static_assert(CONTROL == 2 * CHANGES_COUNT, "each change has a test in repro and one in guard");

static const char* both_verdicts(const struct test* repro, const struct test* guard) {
    const char* verdict = test_verdict(repro);
    return strcmp(verdict, "yes") == 0 ? test_verdict(guard) : verdict;
}

static void time_cell(const struct test* test, struct document* document) {
    char duration[64], result[256];
    test_describe_duration(test, duration, sizeof duration);
    test_describe_result(test, result, sizeof result);
    if (strcmp(test_outcome(test), "ok") == 0)
        table_cell(document, MARK_NONE, "%s in %s", result, duration);
    else
        table_cell(document, MARK_NONE, "%s", duration);
}

// What it died of: the address, or the check that failed first, or a hang.
static void address_cell(const struct test* test, struct document* document) {
    char result[256];
    test_describe_result(test, result, sizeof result);
    bool crash = strcmp(test_fault_addr(test), "-") != 0 || strcmp(test_outcome(test), "ok") == 0;
    table_cell(document, test_mark(test), "%s", crash ? test_fault_addr(test) : result);
}

static void row(const struct test* repro, const struct test* guard, const char* site, const char* change,
                struct document* document) {
    char drains[256];
    test_describe_foreign_drains(repro, drains, sizeof drains);
    table_cell(document, MARK_NONE, "%s", site);
    table_cell(document, MARK_NONE, "%s", change);
    time_cell(repro, document);
    address_cell(repro, document);
    table_cell(document, MARK_NONE, "%s", drains);
    time_cell(guard, document);
    table_cell(document, test_mark(guard), "%s", test_check_site(guard));
    table_cell(document, MARK_NONE, "%s", both_verdicts(repro, guard));
}

static void print(const struct test* tests, struct document* document) {
    static const char* const headings[] = {"Site",
                                           "Missing",
                                           "Time to fault in repro",
                                           "fault_addr",
                                           "Foreign drains, by site",
                                           "Stopped in guard",
                                           "Site it named",
                                           "As expected",
                                           NULL};
    document_heading(document, "Each change missing by itself");
    table_begin(document, headings);
    for (size_t i = 0; i < CONTROL; i += 2) {
        char change[16];
        snprintf(change, sizeof change, "%zu", i / 2 + 1);
        row(&tests[i], &tests[i + 1], tests[i].spec->site, change, document);
    }
    row(&tests[CONTROL], &tests[CONTROL + 1], "mailbox (control)", "none", document);
    table_end(document);
    document_paragraph(
        document,
        "repro 4 threads for at most %g s, guard for at most %g s. The control is the mailbox, which has "
        "always claimed\nbefore it drained, and so has no switch: tried %lld times, found a slab %lld times, without a "
        "fault.",
        (double)REPRO_SECONDS, (double)GUARD_SECONDS, (long long)test_counter(&tests[CONTROL], "mailbox_tried"),
        (long long)test_counter(&tests[CONTROL], "mailbox_hit"));
}

const struct plan plan_each = {.title = "each change missing", .specs = specs, .count = TESTS, .print = print};
