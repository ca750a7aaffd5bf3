// The parts of hakstress that need no watched process.
#include "base/nearest.h"
#include "binary/build_id.h"
#include "binary/demangle.h"
#include "binary/exports.h"
#include "child/messages.h"
#include "code.h"
#include "process/procmaps.h"
#include "report/hidden_text.h"
#include "report/signals.h"
#include "supervise/watchdog.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void the_nearest_name_wins(void** state) {
    (void)state;
    struct nearest nearest = {.typed = "gaurd"};
    nearest_offer(&nearest, "repro");
    nearest_offer(&nearest, "guard");
    nearest_offer(&nearest, "bench");
    assert_string_equal(nearest.best, "guard");
    struct nearest far = {.typed = "xyzzy"};
    nearest_offer(&far, "repro");
    assert_string_equal(far.best, "");
}

static void silence_is_a_hang_after_the_limit(void** state) {
    (void)state;
    struct watchdog watchdog;
    watchdog_start(&watchdog, 10, 100);
    assert_false(watchdog_feed(&watchdog, 109.9, 0));
    assert_false(watchdog_feed(&watchdog, 110, 1));  // moved at the last moment
    assert_false(watchdog_feed(&watchdog, 119.9, 1));
    assert_true(watchdog_feed(&watchdog, 120, 1));
    assert_false(watchdog_feed(&watchdog, 121, 2));
}

static void messages_name_the_check_that_failed(void** state) {
    (void)state;
    struct check_message found;
    assert_false(messages_find_check("hakmem: something else\ncheck=x site=y\n", &found));
    assert_true(messages_find_check("noise\nhakmem: check=bind site=sticky slab 3\nmore", &found));
    assert_string_equal(found.check, "bind");
    assert_string_equal(found.site, "sticky");
    assert_string_equal(found.line, "hakmem: check=bind site=sticky slab 3");
    assert_true(messages_find_check("[OWNERSHIP ERROR] Thread 3 draining slab 7 owned by 5!\n", &found));
    assert_string_equal(found.check, "ownership");
    assert_string_equal(found.site, "unknown");
    assert_true(
        messages_find_check("hakmem: check=ownership site=hot x\n[OWNERSHIP ERROR] Thread 3 draining\n", &found));
    assert_string_equal(found.site, "hot");
}

static void messages_keep_their_end(void** state) {
    (void)state;
    int ends[2], quiet = dup(STDERR_FILENO);
    struct messages* messages = test_calloc(1, sizeof *messages);
    assert_int_equal(pipe(ends), 0);
    messages->pipe = ends[0];
    static char text[2 * MESSAGES_KEPT];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 4, "end\n", 4);
    close(STDERR_FILENO);                                 // the output is not needed here
    ssize_t written = write(ends[1], text, sizeof text);  // less than a pipe holds
    close(ends[1]);
    messages_read(messages);
    dup2(quiet, STDERR_FILENO);
    close(quiet);
    assert_int_equal(written, sizeof text);
    assert_int_equal(messages->pipe, -1);
    assert_int_equal(messages->length, MESSAGES_KEPT);
    assert_string_equal(messages->text + MESSAGES_KEPT - 4, "end\n");
    test_free(messages);
}

static void text_is_found_in_numbers(void** state) {
    (void)state;
    char text[9];
    assert_true(hidden_text_whole(0x6261, text));
    assert_string_equal(text, "ab");
    assert_true(hidden_text_whole(UINT64_C(0x6867666564636261), text));
    assert_string_equal(text, "abcdefgh");
    assert_false(hidden_text_whole(0, text));
    assert_false(hidden_text_whole(0x61, text));
    assert_false(hidden_text_whole(0x7f0e62616261, text));
    assert_true(hidden_text_payload(UINT64_C(0x7f0e12346261)));
    assert_true(hidden_text_payload(UINT64_C(0x7f0e12626100)));
    assert_false(hidden_text_payload(UINT64_C(0x7f0e12346162)));
}

static void addresses_are_canonical_or_not(void** state) {
    (void)state;
    assert_true(is_canonical(0));
    assert_true(is_canonical(UINT64_C(0x00007fffffffffff)));
    assert_true(is_canonical(UINT64_C(0xffff800000000000)));
    assert_false(is_canonical(UINT64_C(0x0000800000000000)));
    assert_false(is_canonical(UINT64_C(0x6867666564636261)));
}

static void maps_are_parsed_and_searched(void** state) {
    (void)state;
    static const char text[] = "1000-3000 r-xp 00002000 fe:00 42    /usr/bin/some thing\n"
                               "nonsense\n"
                               "5000-6000 rw-p 00000000 00:00 0 \n"
                               "7000-8000 rw-p 00000000 00:00 0  [heap]\n"
                               "9000-a000 rw-p 00000000 00:00 0  [cut";
    struct procmaps maps;
    assert_true(procmaps_parse(&maps, text, sizeof text - 1));
    assert_int_equal(maps.count, 3);
    assert_string_equal(procmaps_find(&maps, 0x1000)->path, "/usr/bin/some thing");
    assert_int_equal(procmaps_find(&maps, 0x2fff)->offset, 0x2000);
    assert_string_equal(procmaps_find(&maps, 0x5800)->path, "");
    assert_string_equal(procmaps_find(&maps, 0x7fff)->path, "[heap]");
    assert_null(procmaps_find(&maps, 0xfff));
    assert_null(procmaps_find(&maps, 0x3000));
    assert_null(procmaps_find(&maps, 0x8000));
    procmaps_free(&maps);
}

static void code_is_named_by_function_and_line(void** state) {
    (void)state;
    struct procmaps maps;
    struct code code;
    uint64_t address = (uint64_t)(uintptr_t)watchdog_start;
    assert_true(procmaps_read(&maps, getpid()));
    const struct mapping* mapping = procmaps_find(&maps, address);
    assert_non_null(mapping);
    for (int i = 0; i < 2; i++) {  // the second time the file is already open
        assert_true(code_at(mapping->path, address - mapping->start + mapping->offset, &code));
        assert_string_equal(code.function, "watchdog_start");
        assert_int_equal(code.offset, 0);
        assert_string_equal(code.unit, "");  // a public function
        if (code.at.line == 0) continue;     // built without -g
        assert_string_equal(code.at.file, "watchdog.c");
        assert_in_range(code.at.line, 1, 1000);
    }
    procmaps_free(&maps);
}

static void what_is_no_code_has_no_name(void** state) {
    (void)state;
    struct code code;
    assert_false(code_at("/proc/self/exe", UINT64_MAX, &code));
    assert_false(code_at("/proc/self/status", 0, &code));
    assert_false(code_at("/dev/null", 0, &code));
    assert_false(code_at("/", 0, &code));
    assert_string_equal(code.function, "");
    assert_int_equal(code.at.line, 0);
    assert_true(code_at("/proc/self/exe", 0, &code));  // the file's header
    assert_string_equal(code.function, "");
}

// A file of these bytes, some of which are changed.
static void read_damaged(const char* bytes, size_t size, unsigned seed) {
    char path[] = "/tmp/unit-cli-XXXXXX", id[BUILD_ID_TEXT_MAX];
    int file = mkstemp(path);
    struct code code;
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    for (unsigned i = 0; i < 64; i++) {
        seed = seed * 1103515245 + 12345;
        // Every reader uses headers and tables, so half of the damage is there.
        off_t at = (off_t)((seed >> 8) % (i % 2 == 0 ? 1024 : size));
        assert_int_equal(pwrite(file, &seed, 1, at), 1);
    }
    close(file);
    for (uint64_t offset = 0; offset < size; offset += size / 16 + 1) code_at(path, offset, &code);
    elf_file_exports(path, "no_such_function");
    build_id_of_file(path, id, sizeof id);
    unlink(path);
}

static void damaged_files_are_survived(void** state) {
    (void)state;
    enum { SEED = 20, TRIES = 40 };
    static char bytes[4 << 20];
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t size = read(self, bytes, sizeof bytes);
    close(self);
    assert_true(size > 4096);
    print_message("seed %d\n", SEED);
    for (unsigned i = 0; i < TRIES; i++) read_damaged(bytes, (size_t)size / (i % 4 + 1), SEED + i);
}

static void exports_are_what_other_files_can_have(void** state) {
    (void)state;
    struct procmaps maps;
    assert_true(procmaps_read(&maps, getpid()));
    const struct mapping* libc = procmaps_find(&maps, (uint64_t)(uintptr_t)dlsym(RTLD_NEXT, "malloc"));
    assert_non_null(libc);
    assert_true(elf_file_exports(libc->path, "malloc"));
    assert_false(elf_file_lacks(libc->path, "malloc"));
    assert_false(elf_file_exports(libc->path, "watchdog_start"));
    assert_true(elf_file_lacks(libc->path, "watchdog_start"));
    assert_false(elf_file_exports("/proc/self/exe", "getpid"));  // used there, and not defined
    assert_false(elf_file_exports("/proc/self/status", "malloc"));
    assert_false(elf_file_lacks("/proc/self/status", "malloc"));
    assert_false(elf_file_lacks("/no/such/file", "malloc"));
    procmaps_free(&maps);
}

static void a_build_id_is_read_as_it_was_linked(void** state) {
    (void)state;
    char id[BUILD_ID_TEXT_MAX], cut[9];
    assert_true(build_id(id, sizeof id));
    assert_int_equal(strlen(id), strspn(id, "0123456789abcdef"));
    assert_string_equal(id, WANTED_BUILD_ID);
    assert_true(build_id_of_file("/proc/self/exe", cut, sizeof cut));
    assert_int_equal(strlen(cut), 8);
    assert_memory_equal(cut, id, 8);
    assert_false(build_id_of_file("/proc/self/status", id, sizeof id));
    assert_string_equal(id, "");
}

static void names_of_cxx_are_made_plain(void** state) {
    (void)state;
    char name[64];
    assert_false(demangle("watchdog_start", name, sizeof name));
    assert_false(demangle("_Znonsense", name, sizeof name));
    if (dlopen("libstdc++.so.6", RTLD_LAZY) == NULL) skip();
    assert_true(demangle("_ZN3app6WidgetC2Ei", name, sizeof name));
    assert_string_equal(name, "app::Widget::Widget(int)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_wins),
        cmocka_unit_test(code_is_named_by_function_and_line),
        cmocka_unit_test(what_is_no_code_has_no_name),
        cmocka_unit_test(damaged_files_are_survived),
        cmocka_unit_test(exports_are_what_other_files_can_have),
        cmocka_unit_test(a_build_id_is_read_as_it_was_linked),
        cmocka_unit_test(names_of_cxx_are_made_plain),
        cmocka_unit_test(silence_is_a_hang_after_the_limit),
        cmocka_unit_test(messages_name_the_check_that_failed),
        cmocka_unit_test(messages_keep_their_end),
        cmocka_unit_test(text_is_found_in_numbers),
        cmocka_unit_test(addresses_are_canonical_or_not),
        cmocka_unit_test(maps_are_parsed_and_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
