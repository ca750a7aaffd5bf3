#include "thread/operation.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { WAITS_MS = 20 };  // the shortest time after which an asked thread goes on

static HakTcb* other;
static _Atomic bool released;
static pthread_barrier_t asked;

static void begin(void) {
    hak_tls.tcb = tcb_take(&hak_tls);
    assert_non_null(hak_tls.tcb);
    operation_end(hak_tls.tcb);
}

static void end(void) {
    tcb_give(hak_tls.tcb);
    hak_tls.tcb = NULL;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void* begin_when_asked(void* began_early) {
    begin();
    other = hak_tls.tcb;
    pthread_barrier_wait(&asked);
    pthread_barrier_wait(&asked);
    int64_t start = now_ms();
    HakTcb* me = operation_begin();
    *(bool*)began_early = !atomic_load(&released) && now_ms() - start < WAITS_MS;
    assert_ptr_equal(me, other);
    assert_int_equal(me->inside, INSIDE);
    operation_end(me);
    end();
    return NULL;
}

static bool ask_a_thread_and_release_it_after(long ms) {
    bool began_early;
    pthread_t thread;
    released = false;
    assert_int_equal(pthread_create(&thread, NULL, begin_when_asked, &began_early), 0);
    pthread_barrier_wait(&asked);
    assert_true(operation_ask(other));
    assert_true(operation_ask(other));
    pthread_barrier_wait(&asked);
    if (ms) {
        nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
        released = true;
        operation_ask_no_more(other);
    }
    pthread_join(thread, NULL);
    return began_early;
}

static void an_asked_thread_waits(void** state) {
    (void)state;
    assert_false(ask_a_thread_and_release_it_after(5));
}

static void an_asked_thread_does_not_wait_for_ever(void** state) {
    (void)state;
    assert_false(ask_a_thread_and_release_it_after(0));
}

static void a_thread_in_an_operation_is_not_asked(void** state) {
    (void)state;
    begin();
    HakTcb* me = operation_begin();
    assert_false(operation_ask(me));
    operation_ask_no_more(me);
    assert_int_equal(me->inside, INSIDE);
    assert_true(operation_is_open());
    operation_end(me);
    assert_true(operation_ask(me));
    assert_false(operation_is_open());
    operation_ask_no_more(me);
    assert_int_equal(me->inside, OUTSIDE);
    end();
}

static void no_operation_begins_in_another_one(void** state) {
    (void)state;
    assert_null(operation_begin());
    begin();
    HakTcb* me = operation_begin();
    assert_null(operation_begin());
    assert_null(operation_begin_at_once());
    operation_end(me);
    assert_ptr_equal(operation_begin_at_once(), me);
    operation_end(me);
    end();
}

int main(void) {
    pthread_barrier_init(&asked, NULL, 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_asked_thread_waits),
        cmocka_unit_test(an_asked_thread_does_not_wait_for_ever),
        cmocka_unit_test(a_thread_in_an_operation_is_not_asked),
        cmocka_unit_test(no_operation_begins_in_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
