#include "slab/mailbox.h"

#include "base/atomic.h"
#include "unit.h"

#include <pthread.h>

enum { CLASS = 5, OTHER_CLASS = 6, THREADS = 4, ROUNDS = 200000 };

static void the_newest_is_fetched_first_and_once(void** state) {
    (void)state;
    assert_int_equal(mailbox_fetch(CLASS), 0);
    for (SlabNumber s = 101; s <= 103; s++) mailbox_announce(CLASS, s);
    assert_int_equal(mailbox_fetch(OTHER_CLASS), 0);
    assert_int_equal(mailbox_fetch(CLASS), 103);
    assert_int_equal(mailbox_fetch(CLASS), 102);
    mailbox_announce(CLASS, 104);
    assert_int_equal(mailbox_fetch(CLASS), 104);
    assert_int_equal(mailbox_fetch(CLASS), 101);
    assert_int_equal(mailbox_fetch(CLASS), 0);
}

static void what_does_not_fit_is_forgotten(void** state) {
    (void)state;
    for (SlabNumber s = 1; s <= 1000; s++) mailbox_announce(CLASS, s);
    SlabNumber s = mailbox_fetch(CLASS), last = 1001;
    for (; s != 0; s = mailbox_fetch(CLASS)) {
        assert_true(s < last);
        last = s;
    }
    assert_true(last > 900);
}

// An announcement is given to one thread only, and most are given: only what others fetch or push out meanwhile is
// missed.
static _Atomic uint8_t fetched[THREADS * ROUNDS + 1];
static _Atomic unsigned fetches;
static _Atomic bool twice;

static void* announce_and_fetch(void* argument) {
    SlabNumber first = (SlabNumber)(uintptr_t)argument;
    for (SlabNumber i = 0; i < ROUNDS; i++) {
        mailbox_announce(CLASS, first + i);
        SlabNumber s = mailbox_fetch(CLASS);
        if (s == 0) continue;
        atomic_fetch_add(&fetches, 1);
        if (atomic_fetch_add(&fetched[s], 1) != 0) atomic_store(&twice, true);
    }
    return NULL;
}

static void nobody_shares_an_announcement(void** state) {
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, announce_and_fetch, (void*)(i * ROUNDS + 1)), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_false(atomic_load(&twice));
    assert_true(atomic_load(&fetches) > ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_fetched_first_and_once),
        cmocka_unit_test(what_does_not_fit_is_forgotten),
        cmocka_unit_test(nobody_shares_an_announcement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
