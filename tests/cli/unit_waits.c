// Who holds which lock of the allocator in another process, and who waits for it.
#include "base/json.h"
#include "front/lock_table.h"
#include "observe/ring.h"
#include "report/waits.h"
#include "superslab/heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void* take_heap_lock(void* argument) {
    hak_lock(&heap_lock);
    return argument;
}

static pid_t start_holder(void) {
    pid_t child = fork();
    if (child != 0) return child;
    pthread_t waiter;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hak_lock(&heap_lock);
    if (pthread_create(&waiter, NULL, take_heap_lock, NULL) != 0) _exit(3);
    for (;;) pause();
}

static json_t* look(pid_t process, size_t* threads) {
    static HakRingFile none;
    struct procmaps maps;
    struct threads_seen seen;
    struct process_memory memory;
    assert_true(procmaps_read(&maps, process));
    threads_see(&seen, &maps, &none, process, false);
    process_memory_open(&memory, process);
    json_t* waits = waits_find(&seen, &memory, (uintptr_t)&hak_lock_table);
    *threads = seen.count;
    process_memory_close(&memory);
    threads_free(&seen);
    procmaps_free(&maps);
    return waits;
}

// The waiter wakes for a moment now and then, to look whether the holder still exists.
static void holder_and_waiter_of_a_lock(void** state) {
    (void)state;
    size_t threads = 0;
    json_t* waits = NULL;
    const json_t* held = NULL;
    lock_table_fill();
    pid_t child = start_holder();
    assert_true(child > 0);
    for (int i = 0; i < 1000; i++) {
        json_decref(waits);
        waits = look(child, &threads);
        held = json_array_get(json_object_get(waits, "held"), 0);
        if (json_array_size(json_object_get(held, "waiters")) > 0) break;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(threads, 2);
    assert_int_equal(json_array_size(json_object_get(waits, "held")), 1);
    assert_string_equal(json_get_text(held, "name"), "heap");
    assert_int_equal(json_get_whole(held, "rank"), 6);
    assert_int_equal(json_get_whole(held, "holder"), child);
    const json_t* waiters = json_object_get(held, "waiters");
    assert_int_equal(json_array_size(waiters), 1);
    assert_int_not_equal(json_integer_value(json_array_get(waiters, 0)), child);
    assert_int_equal(json_array_size(json_object_get(waits, "deadlock")), 0);
    json_decref(waits);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void every_lock_has_a_name_of_its_own(void** state) {
    (void)state;
    lock_table_fill();
    for (uint32_t i = 0; i < hak_lock_table.count; i++) {
        assert_true(hak_lock_table.lock[i].name[0] != '\0');
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(hak_lock_table.lock[i].name, hak_lock_table.lock[j].name);
            assert_true(hak_lock_table.lock[i].address != hak_lock_table.lock[j].address);
        }
    }
    assert_in_range(hak_lock_table.count, 80, LOCK_TABLE_ROOM - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holder_and_waiter_of_a_lock),
        cmocka_unit_test(every_lock_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
