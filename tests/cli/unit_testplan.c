// How the test plan judges a result, and how it writes tables.
#include "testplan/document.h"
#include "testplan/test.h"

#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char crash[] = "{\"outcome\": \"fault\", \"seconds\": 1.5, \"events\": 42,"
                            " \"foreign_drains\": {\"hot\": 3, \"bench\": 0},"
                            " \"fault\": {\"signal\": {\"name\": \"SIGSEGV\", \"fault_addr\": \"0x6261\"}}}";
static const char elsewhere[] = "{\"outcome\": \"fault\", \"foreign_drains\": {\"hot\": 3},"
                                " \"fault\": {\"signal\": {\"name\": \"SIGSEGV\", \"fault_addr\": \"0x10\"}}}";
static const char stop[] =
    "{\"outcome\": \"fault\", \"foreign_drains\": {\"hot\": 0},"
    " \"fault\": {\"check\": \"ownership\", \"site\": \"hot\", \"signal\": {\"name\": \"SIGABRT\"}}}";
static const char clean[] =
    "{\"outcome\": \"ok\", \"seconds\": 3, \"events\": 42, \"foreign_drains\": {\"hot\": 0},"
    " \"counters\": {\"counters\": {\"mailbox_tried\": 9, \"mailbox_hit\": 2, \"bench_tried\": 9}}}";
static const char unclean[] = "{\"outcome\": \"ok\", \"events\": 42, \"foreign_drains\": {\"hot\": 1}}";
static const char hang[] = "{\"outcome\": \"hang\", \"events\": 42, \"foreign_drains\": {\"hot\": 1}}";
static const char undrained[] = "{\"outcome\": \"fault\", \"foreign_drains\": {\"hot\": 0}}";

static bool as_expected(enum expectation expected, const char* site, const char* result) {
    struct test_spec spec = {.title = "t", .mode = "repro", .changes = "all", .expected = expected, .site = site};
    struct test test = {.spec = &spec, .result = json_loads(result, 0, NULL)};
    assert_non_null(test.result);
    bool yes = test_as_expected(&test);
    json_decref(test.result);
    return yes;
}

static void judging(void** state) {
    (void)state;
    assert_true(as_expected(EXPECT_FAULT, NULL, crash));
    assert_true(as_expected(EXPECT_FAULT, "hot", crash));
    assert_false(as_expected(EXPECT_FAULT, "bench", crash));
    assert_true(as_expected(EXPECT_FAULT, NULL, elsewhere));
    assert_false(as_expected(EXPECT_FAULT, NULL, clean));
    assert_false(as_expected(EXPECT_FAULT, NULL, stop));
    assert_true(as_expected(EXPECT_FAULT, NULL, hang));
    assert_false(as_expected(EXPECT_FAULT, NULL, undrained));
    assert_true(as_expected(EXPECT_STOP, "hot", stop));
    assert_false(as_expected(EXPECT_STOP, "bench", stop));
    assert_false(as_expected(EXPECT_STOP, NULL, crash));
    assert_true(as_expected(EXPECT_FAULT_OR_CLEAN, NULL, crash));
    assert_true(as_expected(EXPECT_FAULT_OR_CLEAN, NULL, clean));
    assert_false(as_expected(EXPECT_FAULT_OR_CLEAN, NULL, undrained));
    assert_true(as_expected(EXPECT_STOP_OR_CLEAN, NULL, stop));
    assert_false(as_expected(EXPECT_STOP_OR_CLEAN, NULL, hang));
    assert_true(as_expected(EXPECT_CLEAN, NULL, clean));
    assert_true(as_expected(EXPECT_CLEAN, "mailbox", clean));
    assert_false(as_expected(EXPECT_CLEAN, "bench", clean));
    assert_false(as_expected(EXPECT_CLEAN, NULL, unclean));
    assert_false(as_expected(EXPECT_CLEAN, NULL, crash));
    assert_false(as_expected(EXPECT_CLEAN, NULL, hang));
}

static void check_descriptions(const char* result, const char* duration, const char* outcome, const char* drains) {
    struct test_spec spec = {.mode = "repro", .profile = "fast0", .threads = 20, .changes = "1-2"};
    struct test test = {.spec = &spec, .seconds = 30, .result = result != NULL ? json_loads(result, 0, NULL) : NULL};
    char text[256];
    test_describe(&test, text, sizeof text);
    assert_string_equal(text, "repro 30 20 --profile fast0 --changes 1-2");
    test_describe_duration(&test, text, sizeof text);
    assert_string_equal(text, duration);
    test_describe_result(&test, text, sizeof text);
    assert_string_equal(text, outcome);
    test_describe_foreign_drains(&test, text, sizeof text);
    assert_string_equal(text, drains);
    json_decref(test.result);
}

static void describing(void** state) {
    (void)state;
    check_descriptions(crash, "1.50 s", "CRASH at fault_addr=0x6261", "hot 3");
    check_descriptions(stop, "0.0000 s", "STOPPED by check=ownership site=hot", "none");
    check_descriptions(clean, "3.00 s", "NO CRASH", "none");
    check_descriptions(hang, "0.0000 s", "HANG", "hot 1");
    check_descriptions(NULL, "-", "not run", "-");
}

static void check_table(bool markdown, bool unicode, const char* expected) {
    static const char* const headings[] = {"A", "Long heading", NULL};
    char* text = NULL;
    size_t size = 0;
    struct document document = {.out = open_memstream(&text, &size), .markdown = markdown, .unicode = unicode};
    table_begin(&document, headings);
    table_cell(&document, MARK_BAD, "x");
    table_cell(&document, MARK_OPEN, "%d", 7);
    table_cell(&document, MARK_NONE, "longer");
    table_cell(&document, MARK_GOOD, "y");
    table_end(&document);
    fclose(document.out);
    assert_string_equal(text, expected);
    free(text);
}

static void tables(void** state) {
    (void)state;
    check_table(false, false,
                "| A      | Long heading |\n"
                "|--------|--------------|\n"
                "| [X] x  | [!] 7        |\n"
                "| longer | [ok] y       |\n");
    check_table(true, true,
                "| A      | Long heading |\n"
                "|--------|--------------|\n"
                "| \u274c x   | \u26a0\ufe0f 7         |\n"
                "| longer | \u2705 y         |\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judging),
        cmocka_unit_test(describing),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
