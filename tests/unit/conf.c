// Lines of hakmem.conf: what each says, or what was expected.
#include "config/conf.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ConfLine said;
static char text[1024];

static const ConfLine* read_line(const char* line) {
    snprintf(text, sizeof text, "%s", line);
    conf_line(&said, text, strlen(text));
    return &said;
}

static void lines_that_say_nothing(void** state) {
    (void)state;
    static const char* const lines[] = {"", "   ", "\t\r", "# a comment", "  # [a]=b", "#"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(read_line(lines[i])->kind, CONF_NOTHING);
        assert_string_equal(said.problem, "");
    }
}

static void settings(void** state) {
    (void)state;
    static const struct {
        const char *line, *option, *value;
    } good[] = {
        {"HAKMEM_RESERVE=64M", "HAKMEM_RESERVE", "64M"},
        {"  HAKMEM_RESERVE \t=  64M \r", "HAKMEM_RESERVE", "64M"},
        {"HAKMEM_STATS=json", "HAKMEM_STATS", "json"},
        {"HAKMEM_STATS_FILE=/tmp/a b=c # d", "HAKMEM_STATS_FILE", "/tmp/a b=c # d"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(read_line(good[i].line)->kind, CONF_SETTING);
        assert_string_equal(said.problem, "");
        assert_string_equal(said.option->name, good[i].option);
        assert_string_equal(said.value, good[i].value);
    }
}

static void sections(void** state) {
    (void)state;
    static const char* const lines[] = {"[nginx]", " [ nginx ] \r", "[php-fpm8.2]", "[a b]", "[[]"};
    static const char* const names[] = {"nginx", "nginx", "php-fpm8.2", "a b", "["};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(read_line(lines[i])->kind, CONF_SECTION);
        assert_string_equal(said.problem, "");
        assert_string_equal(said.program, names[i]);
    }
}

static void wrong_lines(void** state) {
    (void)state;
    static const struct {
        const char* line;
        ConfKind kind;
        const char* problem;
    } wrong[] = {
        {"nonsense", CONF_SETTING, "expected OPTION=VALUE, [PROGRAM] or # and a comment, not 'nonsense'"},
        {"=1", CONF_SETTING, "expected OPTION=VALUE, [PROGRAM] or # and a comment, not '=1'"},
        {"HAKMEM_RESERV=1", CONF_SETTING, "there is no option 'HAKMEM_RESERV'; the nearest is HAKMEM_RESERVE"},
        {"RESERVE=1", CONF_SETTING, "there is no option 'RESERVE'"},
        {"HAKMEM_=1", CONF_SETTING, "there is no option 'HAKMEM_'"},
        {"a\033[2Jb=1", CONF_SETTING, "there is no option 'a?[2Jb'"},
        {"HAKMEM_PURGE_MS=x", CONF_SETTING, "HAKMEM_PURGE_MS must be 0 to 3600000, not 'x'"},
        {"HAKMEM_PURGE_MS=1 # ms", CONF_SETTING, "HAKMEM_PURGE_MS must be 0 to 3600000, not '1 # ms'"},
        {"HAKMEM_PURGE_MS=", CONF_SETTING, "HAKMEM_PURGE_MS has no value"},
        {"HAKMEM_CONF=/a", CONF_SETTING, "HAKMEM_CONF is read in the environment alone"},
        {"[nginx", CONF_SECTION, "expected [PROGRAM], not '[nginx'"},
        {"[", CONF_SECTION, "expected [PROGRAM], not '['"},
        {"[nginx] # web", CONF_SECTION, "expected [PROGRAM], not '[nginx] # web'"},
        {"[ ]", CONF_SECTION, "expected the name of a program without its folder, not ''"},
        {"[/usr/bin/a]", CONF_SECTION, "expected the name of a program without its folder, not '/usr/bin/a'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(read_line(wrong[i].line)->kind, wrong[i].kind);
        assert_string_equal(said.problem, wrong[i].problem);
        assert_null(said.option);
        assert_null(said.program);
    }
}

static void a_zero_byte_is_no_text(void** state) {
    (void)state;
    memcpy(text, "# \0 ab", 7);
    conf_line(&said, text, 6);
    assert_string_equal(said.problem, "expected text, not a byte of zero");
}

// --- the file

static char path[64];

static void write_file(const char* what, size_t length) {
    strcpy(path, "/tmp/hakmem-conf-XXXXXX");
    int file = mkstemp(path);
    assert_int_equal(write(file, what, length), (ssize_t)length);
    assert_int_equal(close(file), 0);
}

typedef struct {
    unsigned lines, wrong, last_wrong;
} Counted;

static void count_line(void* context, unsigned number, const ConfLine* line) {
    Counted* counted = context;
    assert_int_equal(number, ++counted->lines);
    if (line->problem[0] == '\0') return;
    counted->wrong++;
    counted->last_wrong = number;
}

static Counted counted(bool only_protected) {
    Counted all = {0};
    ConfFile file = conf_each(path, only_protected, count_line, &all);
    assert_int_equal(file.error, 0);
    assert_true(file.is_regular);
    return all;
}

static void lines_are_numbered_and_long_ones_are_wrong(void** state) {
    (void)state;
    static char much[5000];
    memset(much, 'x', sizeof much);
    memcpy(much, "# one\n\n#", 8);
    much[8 + CONF_LINE_BYTES - 2] = '\n';  // line 3 has 511 characters, line 4 many
    write_file(much, sizeof much);
    Counted all = counted(false);
    assert_int_equal(all.lines, 4);
    assert_int_equal(all.wrong, 1);
    assert_int_equal(all.last_wrong, 4);
    unlink(path);
}

static void privileged_programs_take_a_protected_file_alone(void** state) {
    (void)state;
    write_file("HAKMEM_STATS=text\n", 18);
    const bool is_root = getuid() == 0;
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(counted(true).lines, is_root ? 1 : 0);
    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(counted(true).lines, 0);
    assert_int_equal(chmod(path, 0646), 0);
    assert_int_equal(counted(true).lines, 0);
    assert_int_equal(counted(false).lines, 1);
    assert_int_equal(chmod(path, 0644), 0);
    if (is_root && chown(path, 65534, 0) == 0) assert_int_equal(counted(true).lines, 0);
    unlink(path);
}

static void other_files_have_no_lines(void** state) {
    (void)state;
    Counted all = {0};
    static const char* const others[] = {"/", "/dev/null", "/dev/zero"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ConfFile file = conf_each(others[i], false, count_line, &all);
        assert_int_equal(file.error, 0);
        assert_false(file.is_regular);
    }
    assert_int_equal(conf_each("/no/such", false, count_line, &all).error, ENOENT);
    assert_int_equal(all.lines, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_say_nothing),
        cmocka_unit_test(settings),
        cmocka_unit_test(sections),
        cmocka_unit_test(wrong_lines),
        cmocka_unit_test(a_zero_byte_is_no_text),
        cmocka_unit_test(lines_are_numbered_and_long_ones_are_wrong),
        cmocka_unit_test(privileged_programs_take_a_protected_file_alone),
        cmocka_unit_test(other_files_have_no_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
