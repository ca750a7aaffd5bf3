#include "config/sources.h"

#include "support/test.h"
#include "unit.h"

#include <errno.h>
#include <hakmem/hakmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect(const char* name, const char* value) {
    char buffer[HAK_OPTION_TEXT_MAX];
    assert_int_equal(hak_option_get(name, buffer, sizeof buffer), 0);
    assert_string_equal(buffer, value);
}

static void expect_error(const char* name, const char* value, int error) {
    errno = 0;
    assert_int_equal(hak_option_set(name, value), -1);
    assert_int_equal(errno, error);
}

static void set_and_get(void** state) {
    (void)state;
    expect("HAKMEM_PURGE_MS", "250");
    assert_int_equal(hak_option_set("HAKMEM_PURGE_MS", "0"), 0);
    expect("HAKMEM_PURGE_MS", "0");
    assert_int_equal(hak_option(purge_ms), 0);
    assert_int_equal(hak_option_set("HAKMEM_PURGE_MS", "250"), 0);
    assert_int_equal(hak_option_set("HAKMEM_RESERVE", "3M"), 0);
    expect("HAKMEM_RESERVE", "3145728");
    assert_int_equal(hak_option_set("HAKMEM_STATS", "json"), 0);
    expect("HAKMEM_STATS", "json");
    assert_int_equal(hak_option_set("HAKMEM_STATS", "none"), 0);
    assert_int_equal(hak_option_set("HAKMEM_STATS_FILE", "/tmp/stats.%p"), 0);
    expect("HAKMEM_STATS_FILE", "/tmp/stats.%p");
}

static void bad_values_change_nothing(void** state) {
    (void)state;
    const char* bad[] = {
        "", "x", "-1", "3600001", "1x", "0x10", " 1", "1 ", "99999999999999999999999", "9223372036854775807G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) expect_error("HAKMEM_PURGE_MS", bad[i], EINVAL);
    expect("HAKMEM_PURGE_MS", "250");
    expect_error("HAKMEM_STATS", "xml", EINVAL);
    expect_error("HAKMEM_STATS", "tex", EINVAL);
    expect_error("HAKMEM_STATS", "text|json", EINVAL);
    char longer[HAK_OPTION_TEXT_MAX + 1];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    expect_error("HAKMEM_STATS_FILE", longer, EINVAL);
}

static void sets_are_lists_of_members(void** state) {
    (void)state;
    static const struct {
        const char *given, *shown;
        int64_t members;
    } good[] = {
        {"none", "none", 0},    {"all", "all", 63}, {"1", "1", 1},          {"6", "6", 32},     {"1-2", "1-2", 3},
        {"1-2,6", "1-2,6", 35}, {"3-3", "3", 4},    {"6,1,3", "1,3,6", 37}, {"1-6", "all", 63}, {"1-3,2-4", "1-4", 15},
    };
    static const char* const bad[] = {"",     "0",  "7",     "2-1", "1-", "-1",
                                      "1,,2", "1,", "all,1", "12",  " 1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(hak_option_set("HAKMEM_CHANGES", good[i].given), 0);
        assert_int_equal(hak_option(changes), good[i].members);
        expect("HAKMEM_CHANGES", good[i].shown);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) expect_error("HAKMEM_CHANGES", bad[i], EINVAL);
    assert_int_equal(hak_option_set("HAKMEM_CHANGES", "all"), 0);
}

static void unknown_names(void** state) {
    (void)state;
    char buffer[64];
    errno = 0;
    assert_int_equal(hak_option_get("HAKMEM_NO_SUCH", buffer, sizeof buffer), -1);
    assert_int_equal(errno, ENOENT);
    expect_error("HAKMEM_NO_SUCH", "1", ENOENT);
    expect_error("PURGE_MS", "1", ENOENT);
    errno = 0;
    assert_int_equal(hak_option_get("HAKMEM_PURGE_MS", buffer, 2), -1);
    assert_int_equal(errno, ERANGE);
}

// Runs in a child, because the environment is read once in a process. Returns what the child wrote to stderr.
static const char* stderr_of_child(const char* name, const char* value) {
    static char seen[4096];
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        setenv(name, value, 1);
        test_run_anew((char*[]){"options", "--print", NULL});
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t n; (n = read(ends[0], seen + length, sizeof seen - 1 - length)) > 0;) length += (size_t)n;
    seen[length] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return seen;
}

static void the_environment_is_read_and_checked(void** state) {
    (void)state;
    const char* said = stderr_of_child("HAKMEM_PURGE_MS", "123");
    assert_string_equal(said, "purge_ms=123\n");
    said = stderr_of_child("HAKMEM_PURGE_MS", "many");
    assert_non_null(strstr(said, "HAKMEM_PURGE_MS"));
    assert_non_null(strstr(said, "0 to 3600000"));
    assert_non_null(strstr(said, "purge_ms=250\n"));
    said = stderr_of_child("HAKMEM_FOO", "1");
    assert_true(strstr(said, "there is no option HAKMEM_FOO\n"));
    assert_null(strstr(said, "nearest"));
    said = stderr_of_child("HAKMEM_PURGE", "1");
    assert_non_null(strstr(said, "HAKMEM_PURGE_MS"));
    // one line for each mistake
    assert_ptr_equal(strchr(said, '\n') + 1, strstr(said, "purge_ms=250"));
}

static void values_can_be_asked_about(void** state) {
    (void)state;
    const HakOptionInfo* info = hak_option_info(0);
    for (unsigned i = 0; strcmp(info->name, "HAKMEM_PURGE_MS") != 0; i++) info = hak_option_info(i);
    assert_true(hak_option_accepts(info, "3600000"));
    assert_false(hak_option_accepts(info, "3600001"));
    assert_false(hak_option_accepts(info, "many"));
    expect("HAKMEM_PURGE_MS", "250");
}

static void fixed_options_are_busy_later(void** state) {
    (void)state;
    assert_int_equal(hak_option_set("HAKMEM_TINY_FAST_CAP", "7"), 0);
    hak_options_freeze();
    expect_error("HAKMEM_TINY_FAST_CAP", "8", EBUSY);
    expect("HAKMEM_TINY_FAST_CAP", "7");
    assert_int_equal(hak_option_set("HAKMEM_PURGE_MS", "77"), 0);
}

int main(int argc, char** argv) {
    (void)argv;
    if (argc > 1) {  // the child of the_environment_is_read_and_checked
        char buffer[64];
        if (hak_option_get("HAKMEM_PURGE_MS", buffer, sizeof buffer) != 0) return 1;
        dprintf(STDERR_FILENO, "purge_ms=%s\n", buffer);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_get),
        cmocka_unit_test(bad_values_change_nothing),
        cmocka_unit_test(sets_are_lists_of_members),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(the_environment_is_read_and_checked),
        cmocka_unit_test(values_can_be_asked_about),
        cmocka_unit_test(fixed_options_are_busy_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
