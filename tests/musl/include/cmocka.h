// The part of cmocka that the unit tests use, for where there is no cmocka: Debian has none for musl. A failed
// assertion ends its test, and the next one runs. Values are whole numbers, pointers and texts.
#ifndef TESTS_MUSL_CMOCKA_H
#define TESTS_MUSL_CMOCKA_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int (*CMFixtureFunction)(void** state);
struct CMUnitTest {
    const char* name;
    void (*test_func)(void** state);
    CMFixtureFunction setup_func, teardown_func;
};
#define cmocka_unit_test(test) \
    { #test, test, NULL, NULL }
#define cmocka_unit_test_setup_teardown(test, setup, teardown) \
    { #test, test, setup, teardown }

static jmp_buf cm_end;
enum { CM_FAILED = 1, CM_SKIPPED };

__attribute__((noreturn, unused)) static void cm_fail(const char* file, int line, const char* what) {
    printf("[   LINE   ] --- %s:%d: error: %s\n", file, line, what);
    longjmp(cm_end, CM_FAILED);
}

__attribute__((unused)) static void cm_same(uintmax_t a, uintmax_t b, int wanted, const char* file, int line) {
    if ((a == b) == wanted) return;
    printf("[  ERROR   ] --- %#jx %s %#jx\n", a, wanted ? "!=" : "==", b);
    cm_fail(file, line, "Failure!");
}

__attribute__((unused)) static void cm_range(uintmax_t a, uintmax_t low, uintmax_t high, const char* file, int line) {
    if (a >= low && a <= high) return;
    printf("[  ERROR   ] --- %ju is not in [%ju, %ju]\n", a, low, high);
    cm_fail(file, line, "Failure!");
}

__attribute__((unused)) static void cm_text(const char* a, const char* b, int wanted, const char* file, int line) {
    if ((strcmp(a, b) == 0) == wanted) return;
    printf("[  ERROR   ] --- \"%s\" %s \"%s\"\n", a, wanted ? "!=" : "==", b);
    cm_fail(file, line, "Failure!");
}

#define CM_HERE __FILE__, __LINE__
#define assert_true(c) ((c) ? (void)0 : cm_fail(CM_HERE, #c))
#define assert_false(c) ((c) ? cm_fail(CM_HERE, "not: " #c) : (void)0)
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) cm_same((uintmax_t)(a), (uintmax_t)(b), 1, CM_HERE)
#define assert_int_not_equal(a, b) cm_same((uintmax_t)(a), (uintmax_t)(b), 0, CM_HERE)
#define assert_ptr_equal(a, b) cm_same((uintptr_t)(a), (uintptr_t)(b), 1, CM_HERE)
#define assert_ptr_not_equal(a, b) cm_same((uintptr_t)(a), (uintptr_t)(b), 0, CM_HERE)
#define assert_in_range(a, low, high) cm_range((uintmax_t)(a), (uintmax_t)(low), (uintmax_t)(high), CM_HERE)
#define assert_string_equal(a, b) cm_text((a), (b), 1, CM_HERE)
#define assert_string_not_equal(a, b) cm_text((a), (b), 0, CM_HERE)
#define assert_memory_equal(a, b, size) cm_same(memcmp((a), (b), (size)) == 0, 1, 1, CM_HERE)
#define fail() cm_fail(CM_HERE, "fail()")
#define fail_msg(...) (printf(__VA_ARGS__), puts(""), cm_fail(CM_HERE, "fail_msg()"))
#define skip() longjmp(cm_end, CM_SKIPPED)
#define print_message printf

// 0: passed or skipped.
static int cm_run(const struct CMUnitTest* test) {
    void* state = NULL;
    int status = test->setup_func != NULL && test->setup_func(&state) != 0 ? CM_FAILED : setjmp(cm_end);
    printf("[ RUN      ] %s\n", test->name);
    if (status == 0) test->test_func(&state);
    if (test->teardown_func != NULL && test->teardown_func(&state) != 0) status = CM_FAILED;
    printf("[  %s ] %s\n", status == 0 ? "     OK" : status == CM_SKIPPED ? "SKIPPED" : "FAILED ", test->name);
    return status == CM_FAILED;
}

static int cm_run_all(const struct CMUnitTest* tests, size_t count, CMFixtureFunction setup, CMFixtureFunction end) {
    int failed = 0;
    void* state = NULL;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (setup != NULL && setup(&state) != 0) return 1;
    for (size_t i = 0; i < count; i++) {
        const volatile size_t now = i;  // a test may end by a longjmp
        failed += cm_run(&tests[now]);
    }
    if (end != NULL && end(&state) != 0) failed++;
    return failed;
}
#define cmocka_run_group_tests(tests, setup, teardown) \
    cm_run_all((tests), sizeof(tests) / sizeof((tests)[0]), (setup), (teardown))

#endif
