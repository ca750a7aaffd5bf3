// The parts of hakstress that need no process to watch.
#include "nearest.h"
#include "report/demangle.h"
#include "report/hidden_text.h"
#include "report/procmaps.h"
#include "report/signals.h"
#include "report/source_line.h"
#include "report/symbols.h"
#include "supervise/messages.h"
#include "supervise/watchdog.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
    close(STDERR_FILENO);                                 // what is passed on is of no interest here
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

static void a_function_is_named_within_its_bounds(void** state) {
    (void)state;
    struct procmaps maps;
    struct symbol symbol;
    uint64_t address = (uint64_t)(uintptr_t)watchdog_start;
    assert_true(procmaps_read(&maps, getpid()));
    const struct mapping* mapping = procmaps_find(&maps, address);
    assert_non_null(mapping);
    assert_true(symbol_at(mapping->path, address - mapping->start + mapping->offset, &symbol));
    assert_string_equal(symbol.name, "watchdog_start");
    assert_int_equal(symbol.offset, 0);
    assert_false(symbol_at(mapping->path, UINT64_MAX, &symbol));
    assert_false(symbol_at("/proc/self/status", 0, &symbol));
    procmaps_free(&maps);
}

static void a_line_is_found_in_debug_information(void** state) {
    (void)state;
    struct procmaps maps;
    struct source_line line;
    uint64_t address = (uint64_t)(uintptr_t)watchdog_start;
    assert_true(procmaps_read(&maps, getpid()));
    const struct mapping* mapping = procmaps_find(&maps, address);
    assert_non_null(mapping);
#ifdef HAS_DEBUG_INFORMATION
    assert_true(source_line_at(mapping->path, address - mapping->start + mapping->offset, &line));
    assert_string_equal(line.file, "watchdog.c");
    assert_in_range(line.line, 1, 1000);
#endif
    assert_false(source_line_at(mapping->path, UINT64_MAX, &line));
    assert_false(source_line_at("/proc/self/status", 0, &line));
    procmaps_free(&maps);
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
        cmocka_unit_test(a_line_is_found_in_debug_information),
        cmocka_unit_test(names_of_cxx_are_made_plain),
        cmocka_unit_test(silence_is_a_hang_after_the_limit),
        cmocka_unit_test(messages_name_the_check_that_failed),
        cmocka_unit_test(messages_keep_their_end),
        cmocka_unit_test(text_is_found_in_numbers),
        cmocka_unit_test(addresses_are_canonical_or_not),
        cmocka_unit_test(maps_are_parsed_and_searched),
        cmocka_unit_test(a_function_is_named_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
