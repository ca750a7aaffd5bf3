// A report's stack without ptrace: of the registers and the stack that the handler of a crash copied. The process of
// the crash is gone, or nobody may look into it.
#include "base/json.h"
#include "child/crash_handler.h"
#include "report/unwind.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define NOT_INLINED __attribute__((noinline))

static char* volatile nowhere = (char*)8;

NOT_INLINED int crash_innermost(int number) {
    *nowhere = (char)number;
    return number + 1;
}

NOT_INLINED int crash_in_the_middle(int number) {
    return crash_innermost(number + 1) * 2;
}

NOT_INLINED int crash_outermost(int number) {
    return crash_in_the_middle(number + 1) * 3;
}

// The child of the crash, which waits in its handler. *ready: its record is.
NOT_INLINED pid_t start(struct shared* shared, bool* ready) {
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        crash_handler_install(shared, ends[1]);
        crash_handler_thread();
        _exit(crash_outermost(1));
    }
    close(ends[1]);
    *ready = read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    return child;
}

static void expect_frame(const json_t* frames, size_t i, const char* symbol) {
    const char* found = json_get_text_or(json_array_get(frames, i), "symbol", "none");
    if (strncmp(found, symbol, strlen(symbol)) != 0) fail_msg("frame %zu is %s, not %s", i, found, symbol);
}

static void the_stack_is_found_from_copies(void** state) {
    (void)state;
    int file;
    struct procmaps maps;
    bool ready;
    const char* problem = NULL;
    struct shared* shared = shared_create(64, &file);
    assert_non_null(shared);
    pid_t child = start(shared, &ready);
    assert_true(ready);
    const CrashRecord* record = &shared->crash;
    assert_int_equal(record->signal, SIGSEGV);
    assert_true(record->stack_bytes > 0);
    assert_true(procmaps_parse(&maps, record->maps, record->maps_bytes));
    json_t* frames = unwind_crash(record, &maps, child, &problem);
    expect_frame(frames, 0, "crash_innermost");
    expect_frame(frames, 1, "crash_in_the_middle");
    expect_frame(frames, 2, "crash_outermost");
    expect_frame(frames, 3, "start");
    json_decref(frames);
    procmaps_free(&maps);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    shared_close(shared);
    close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_stack_is_found_from_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
