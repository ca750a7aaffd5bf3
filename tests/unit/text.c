#include "base/text.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The C library's result is the oracle.
#define SAME(...)                                                    \
    do {                                                             \
        char ours[256], theirs[256];                                 \
        size_t length = text_format(ours, sizeof ours, __VA_ARGS__); \
        int expected = snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        assert_string_equal(ours, theirs);                           \
        assert_int_equal(length, expected);                          \
    } while (0)

static void as_snprintf(void** state) {
    (void)state;
    SAME("plain");
    SAME("%s|%10s|%-10s|%c|%%", "text", "right", "left", 'x');
    SAME("%d %i %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%u %x %X", UINT_MAX, 0xdeadbeefu, 0xabcdefu);
    SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, 0x123456789abcdefL);
    SAME("%lld %llu %llX", LLONG_MIN, ULLONG_MAX, 0xfedcba9876543210ULL);
    SAME("%zu %zd", SIZE_MAX, (ssize_t)-5);
    SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
    SAME("[%16lx] [%016lx] [%-16lx]", 0xabcUL, 0xabcUL, 0xabcUL);
    SAME("%p", (void*)state);
    SAME("[%3s] [%3d]", "longer", 123456);
}

static void cut_text_tells_its_length(void** state) {
    (void)state;
    char buffer[8];
    memset(buffer, '#', sizeof buffer);
    assert_int_equal(text_format(buffer, 5, "%s", "0123456789"), 10);
    assert_string_equal(buffer, "0123");
    assert_int_equal(buffer[5], '#');
    assert_int_equal(text_format(NULL, 0, "%d", 12345), 5);
    assert_int_equal(text_format(buffer, 1, "abc"), 3);
    assert_string_equal(buffer, "");
    assert_int_equal(text_format(buffer, 4, "abc"), 3);
    assert_string_equal(buffer, "abc");
}

static void null_and_odd_formats(void** state) {
    (void)state;
    char buffer[32];
    const char* volatile nothing = NULL;
    text_format(buffer, sizeof buffer, "%s", nothing);
    assert_string_equal(buffer, "(null)");
    text_format(buffer, sizeof buffer, "%p", NULL);
    assert_string_equal(buffer, "0x0");
}

static void numbers_take_their_place(void** state) {
    (void)state;
    char buffer[16];
    assert_int_equal(text_expand(buffer, sizeof buffer, "a%p/%p%", 42), 7);
    assert_string_equal(buffer, "a42/42%");
    assert_int_equal(text_expand(buffer, 4, "a%p/%p%", 42), 7);
    assert_string_equal(buffer, "a42");
    assert_int_equal(text_expand(buffer, sizeof buffer, "", 42), 0);
    assert_string_equal(buffer, "");
}

// Descriptor 2 is a log, or what it leads to here. descriptors.py tests the rest.
static void warnings_go_to_stderr(void** state) {
    (void)state;
    int log = memfd_create("log", 0), saved = dup(STDERR_FILENO);
    char seen[4096] = {0}, longer[3000];
    assert_true(saved >= 0 && fcntl(log, F_SETFL, O_APPEND) == 0 && dup2(log, STDERR_FILENO) >= 0);
    memset(longer, 'y', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    errno = 4711;
    text_warn("number %d\n", 7);
    int error = errno;
    text_warn("%s", longer);
    ssize_t n = pread(log, seen, sizeof seen - 1, 0);
    close(STDERR_FILENO);
    errno = 4711;
    text_warn("nobody can read this");
    int error_without_stderr = errno;
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    assert_memory_equal(seen, "number 7\ny", 10);
    assert_int_equal(n, 9 + 1023);
    assert_int_equal(error, 4711);
    assert_int_equal(error_without_stderr, 4711);
    close(log);
    close(saved);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_snprintf),           cmocka_unit_test(cut_text_tells_its_length),
        cmocka_unit_test(null_and_odd_formats),  cmocka_unit_test(numbers_take_their_place),
        cmocka_unit_test(warnings_go_to_stderr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
