#include "os/os.h"

#include "count/counters.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

enum { SIZE = 4 * OS_PAGE };

static uint64_t counted(HakCounter which) {
    return load_relaxed(&hak_counters_shared.value[which]);
}

static void map_purge_unmap(void** state) {
    (void)state;
    uint64_t maps = counted(HAK_C_syscall_mmap), purged = counted(HAK_C_purged_bytes);
    char* p = os_map(SIZE);
    assert_non_null(p);
    for (int i = 0; i < SIZE; i++) assert_int_equal(p[i], 0);
    memset(p, 'x', SIZE);
    assert_false(os_map_at(p, SIZE));  // something is mapped there
    assert_int_equal(p[0], 'x');
    assert_true(os_purge(p, SIZE));
    assert_int_equal(p[0], 0);
    assert_int_equal(counted(HAK_C_purged_bytes), purged + SIZE);
    p[0] = 'y';
    assert_true(os_map_over(p, SIZE));
    assert_int_equal(p[0], 0);
    assert_true(os_unmap(p, SIZE));
    assert_true(os_map_at(p, SIZE));
    assert_true(os_unmap(p, SIZE));
    assert_true(counted(HAK_C_syscall_mmap) >= maps + 4);
}

static void move(void** state) {
    (void)state;
    char* from = os_map(SIZE);
    char* to = os_map(SIZE);
    memset(from, 'm', SIZE);
    assert_true(os_move(from, to, SIZE));
    for (int i = 0; i < SIZE; i++) assert_int_equal(to[i], 'm');
    assert_true(os_map_at(from, SIZE));  // the old range is free again
    assert_true(os_unmap(from, SIZE) && os_unmap(to, SIZE));
}

static void a_hole_can_be_filled(void** state) {
    (void)state;
    uintptr_t hole = os_find_hole((size_t)1 << 40);
    assert_true(hole != 0);
    assert_true(os_map_at((void*)hole, SIZE));
    assert_true(os_map_at((void*)(hole + ((size_t)1 << 40) - SIZE), SIZE));
    assert_true(os_unmap((void*)hole, SIZE));
    assert_true(os_unmap((void*)(hole + ((size_t)1 << 40) - SIZE), SIZE));
}

static void calls_fail_on_demand(void** state) {
    (void)state;
    uint64_t failed = counted(HAK_C_syscall_failed);
    os_fault_arm(2, 2);
    errno = 4711;
    void* first = os_map(SIZE);
    assert_non_null(first);
    assert_null(os_map(SIZE));
    assert_false(os_purge(first, SIZE));
    assert_true(os_purge(first, SIZE));
    assert_int_equal(os_fault_calls(), 4);
    assert_int_equal(errno, 4711);
    assert_int_equal(counted(HAK_C_syscall_failed), failed + 2);
    os_fault_arm(1, UINT64_MAX);
    for (int i = 0; i < 10; i++) assert_false(os_unmap(first, SIZE));
    assert_false(os_map_at((void*)((uintptr_t)first + SIZE), SIZE));
    assert_false(os_map_over(first, SIZE));
    assert_false(os_move(first, first, SIZE));
    assert_int_equal(os_find_hole(SIZE), 0);
    os_fault_arm(0, 0);
    assert_true(os_unmap(first, SIZE));
}

static void clock_and_random(void** state) {
    (void)state;
    uint64_t last = os_clock_ms();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = os_clock_ms();
        assert_true(now >= last);
        last = now;
    }
    uint64_t seen[64], ones = 0, zeros = 0;
    for (int i = 0; i < 64; i++) {
        seen[i] = os_random();
        for (int j = 0; j < i; j++) assert_true(seen[i] != seen[j]);
        ones |= seen[i];
        zeros |= ~seen[i];
    }
    assert_true(ones == UINT64_MAX && zeros == UINT64_MAX);  // every bit changes
    assert_true(os_thread_id() > 0);
}

static void what_can_be_read(void** state) {
    (void)state;
    char* p = os_map(2 * OS_PAGE);
    assert_non_null(p);
    assert_true(os_can_read(p));
    assert_true(os_protect(p, OS_PAGE, false));
    assert_false(os_can_read(p + OS_PAGE - 8));
    assert_true(os_can_read(p + OS_PAGE));
    assert_true(os_unmap(p, 2 * OS_PAGE));
    assert_false(os_can_read(p + OS_PAGE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_purge_unmap),      cmocka_unit_test(move),
        cmocka_unit_test(a_hole_can_be_filled), cmocka_unit_test(calls_fail_on_demand),
        cmocka_unit_test(clock_and_random),     cmocka_unit_test(what_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
