// hakstress testplan: runs the test plan of the six changes, and shows what was expected beside what was measured.
#include "args/args.h"
#include "base/error.h"
#include "base/json.h"
#include "base/seed.h"
#include "command/commands.h"
#include "results/results.h"
#include "testplan/plan.h"
#include "testplan/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec testplan_options[] = {
    {"quick", NULL, NULL, NULL, "a tenth of the time for tests that should run clean, at most 30 s for the others"},
    {"each", NULL, NULL, NULL, "run another plan: each change missing by itself in repro and guard, then none missing"},
    {"markdown", "FILE", NULL, NULL, "write the tables to FILE as Markdown"},
    {.name = NULL},
};

struct testplan {
    const struct args* args;
    const struct plan* plan;
    struct test tests[PLAN_TESTS_MAX];
    uint64_t seed;
    char again[4096];
    size_t ended;  // tests that completed
    int status;
};

// The plan

static bool choose_seed(struct testplan* testplan) {
    if (args_is_set(testplan->args, "seed"))
        return args_number(testplan->args, "seed", 0, INT64_MAX - PLAN_TESTS_MAX, &testplan->seed);
    testplan->seed = fresh_seed();
    return true;
}

static int check_options(const struct args* args) {
    const char* markdown = args_text(args, "markdown");
    if (!args_operands_at_most(args, 0)) return STATUS_USAGE;
    if (args_is_set(args, "quick") && args_is_set(args, "each"))
        return usage_error("--quick and --each cannot be combined; give one of them");
    if (args_is_set(args, "profile")) return usage_error("testplan takes no --profile: each of its tests has its own");
    if (markdown != NULL && !result_can_write(markdown))
        return usage_error("cannot write --markdown %s: %s", markdown, strerror(errno));
    return STATUS_OK;
}

// The tests differ in these variables. One value for all would change the tests.
static void ignore_fixed_variables(void) {
    static const char* const fixed[] = {"HAKMEM_CHANGES", "HAKMEM_GUARD", "HAKMEM_DEBUG_OWNERSHIP", "HAKMEM_LINKS",
                                        "HAKMEM_TINY_FAST_CAP"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (getenv(fixed[i]) == NULL) continue;
        fprintf(stderr, "hakstress: %s is ignored: each test of the plan sets its own\n", fixed[i]);
        unsetenv(fixed[i]);
    }
}

static void describe_again(struct testplan* testplan) {
    char tail[128];
    const char* mode = "";
    if (args_is_set(testplan->args, "quick")) mode = " --quick";
    if (args_is_set(testplan->args, "each")) mode = " --each";
    snprintf(tail, sizeof tail, "testplan%s --seed %" PRIu64, mode, testplan->seed);
    result_again(testplan->args, tail, testplan->again, sizeof testplan->again);
}

static void prepare(struct testplan* testplan) {
    static const double quick_part = 0.1, quick_most = 30;
    bool quick = args_is_set(testplan->args, "quick");
    for (size_t i = 0; i < testplan->plan->count; i++) {
        const struct test_spec* spec = &testplan->plan->specs[i];
        double seconds = spec->seconds;
        if (quick && !test_is_faulty(spec)) seconds *= quick_part;
        if (quick && seconds > quick_most) seconds = quick_most;
        testplan->tests[i] = (struct test){.spec = spec, .seconds = seconds, .seed = testplan->seed + i};
    }
}

// Running it

static double seconds_after(const struct testplan* testplan, size_t index) {
    static const double until_fault = 1;  // an estimate
    double seconds = 0;
    for (size_t i = index + 1; i < testplan->plan->count; i++)
        seconds += test_is_faulty(testplan->tests[i].spec) ? until_fault : testplan->tests[i].seconds;
    return seconds;
}

static void tell_progress(const struct testplan* testplan, size_t index) {
    const struct test* test = &testplan->tests[index];
    char run[256], result[256], duration[64];
    if (args_is_set(testplan->args, "quiet")) return;
    test_describe(test, run, sizeof run);
    test_describe_result(test, result, sizeof result);
    test_describe_duration(test, duration, sizeof duration);
    fprintf(stderr, "testplan %zu/%zu: %s --seed %" PRIu64 ": %s, %s, as expected: %s\n", index + 1,
            testplan->plan->count, run, test->seed, result, duration, test_verdict(test));
}

static int status_of(enum test_end end, const struct test* test) {
    switch (end) {
    case TEST_STOPPED: return STATUS_STOPPED;
    case TEST_FAILED: return STATUS_MISSING;
    case TEST_ENDED: break;
    }
    return test_as_expected(test) ? STATUS_OK : STATUS_FAULT;
}

// A test with an unexpected result does not end the plan; one that cannot run does.
static void run_tests(struct testplan* testplan) {
    for (size_t i = 0; i < testplan->plan->count; i++) {
        struct test_setting setting = {
            .program = result_program(),
            .results = args_text(testplan->args, "results"),
            .quiet = args_is_set(testplan->args, "quiet"),
            .number = i + 1,
            .of = testplan->plan->count,
            .seconds_after = seconds_after(testplan, i),
        };
        enum test_end end = test_run(&testplan->tests[i], &setting);
        int status = status_of(end, &testplan->tests[i]);
        if (status > testplan->status) testplan->status = status;
        if (end != TEST_ENDED) return;
        testplan->ended++;
        tell_progress(testplan, i);
    }
}

// Reporting the results

static bool is_complete(const struct testplan* testplan) {
    return testplan->ended == testplan->plan->count;
}

static const char* outcome(const struct testplan* testplan) {
    if (testplan->status == STATUS_STOPPED) return "stopped";
    if (!is_complete(testplan)) return "failed";
    return testplan->status == STATUS_OK ? "as expected" : "not as expected";
}

static void print_commands(const struct testplan* testplan, struct document* document) {
    document_heading(document, "Runs");
    for (size_t i = 0; i < testplan->plan->count; i++) {
        const struct test* test = &testplan->tests[i];
        const char* again = json_get_text(test->result, "again");
        document_command(document, test->spec->title, again != NULL ? again : "not run");
    }
}

static void print_document(const struct testplan* testplan, struct document* document) {
    document_command(document, "again", testplan->again);
    if (!is_complete(testplan))
        document_paragraph(document, "INCOMPLETE (%s): %zu of %zu tests completed.", outcome(testplan), testplan->ended,
                           testplan->plan->count);
    if (args_is_set(testplan->args, "quick"))
        document_paragraph(document,
                           "Shortened by --quick: tests that should run clean ran for a tenth of their time.");
    testplan->plan->print(testplan->tests, document);
    print_commands(testplan, document);
}

static bool write_document(const struct testplan* testplan, const char* path, bool markdown, bool unicode) {
    struct document document = {.out = fopen(path, "we"), .markdown = markdown, .unicode = unicode};
    if (document.out != NULL) print_document(testplan, &document);
    if (document.out != NULL && fclose(document.out) == 0) return true;
    missing_error("cannot write %s: %s", path, strerror(errno));
    return false;
}

static bool save_json(const struct testplan* testplan) {
    json_t* result = result_new(testplan->args, "testplan");
    json_t* tests = json_array();
    json_put_text(result, "again", testplan->again);
    json_put_text(result, "plan", testplan->plan->title);
    json_put_bool(result, "quick", args_is_set(testplan->args, "quick"));
    json_put_count(result, "seed", testplan->seed);
    json_put_bool(result, "complete", is_complete(testplan));
    json_put_text(result, "outcome", outcome(testplan));
    for (size_t i = 0; i < testplan->plan->count; i++) json_array_append_new(tests, test_to_json(&testplan->tests[i]));
    json_object_set_new(result, "tests", tests);
    if (testplan->plan->proofs != NULL)
        json_object_set_new(result, "checklist", testplan->plan->proofs(testplan->tests));
    bool saved = result_save(testplan->args, "testplan", result);
    json_decref(result);
    return saved;
}

static bool conclude(const struct testplan* testplan) {
    char path[PATH_MAX];
    bool unicode = document_locale_is_utf8();
    struct document document = {.out = result_stream(testplan->args), .unicode = unicode};
    print_document(testplan, &document);
    bool saved = result_path(testplan->args, "testplan", ".txt", path, sizeof path) &&
                 write_document(testplan, path, false, unicode);
    const char* markdown = args_text(testplan->args, "markdown");
    if (markdown != NULL && !write_document(testplan, markdown, true, true)) saved = false;
    if (!save_json(testplan)) saved = false;
    fprintf(document.out, "\ntestplan: %s tests=%zu/%zu report=%s\n", outcome(testplan), testplan->ended,
            testplan->plan->count, path);
    return saved;
}

static int testplan_run(const struct args* args) {
    struct testplan testplan = {.args = args, .plan = args_is_set(args, "each") ? &plan_each : &plan_specified};
    int status = check_options(args);
    if (status != STATUS_OK) return status;
    if (!choose_seed(&testplan)) return STATUS_USAGE;
    status = result_check(args);
    if (status != STATUS_OK) return status;
    if (!test_catch_stops()) return STATUS_MISSING;
    ignore_fixed_variables();
    describe_again(&testplan);
    prepare(&testplan);
    run_tests(&testplan);
    bool saved = conclude(&testplan);
    for (size_t i = 0; i < testplan.plan->count; i++) json_decref(testplan.tests[i].result);
    return testplan.status == STATUS_OK && !saved ? STATUS_MISSING : testplan.status;
}

const struct command command_testplan = {
    .name = "testplan",
    .synopsis = "[--quick|--each]",
    .summary = "run the test plan of the six changes: expected against measured results",
    .options = testplan_options,
    .examples = "hakstress testplan                        the whole plan, two minutes\n"
                "hakstress testplan --quick                the same with short runs, 15 seconds\n"
                "hakstress testplan --each --seed 1        every change missing by itself, 20 seconds\n"
                "hakstress testplan --markdown plan.md     tables to commit\n",
    .notes = "Test N runs with seed --seed + N - 1. The command under Runs repeats one test.\n"
             "Exit status: 0 every test ended as expected; 1 one did not; 130 stopped, and the tables have the results "
             "until then.\n",
    .takes_variables = true,
    .run = testplan_run,
};
