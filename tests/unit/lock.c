#include "base/lock.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>

enum { THREADS = 8, ROUNDS = 20000 };

static HakLock lock;
static unsigned long counter;  // not atomic: the lock protects it
static _Atomic unsigned inside;
static _Atomic unsigned trouble;

static void* count_up(void* argument) {
    uintptr_t number = (uintptr_t)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (number % 2 == 0)
            hak_lock(&lock);
        else
            while (!hak_trylock(&lock)) sched_yield();
        if (add_relaxed(&inside, 1u) != 0) add_relaxed(&trouble, 1u);
        counter++;
        // now and then the holder sleeps, so that others have to wait in the kernel
        if (i % 1000 == 0) sched_yield();
        add_relaxed(&inside, -1u);
        hak_unlock(&lock);
    }
    return NULL;
}

static void excludes(void** state) {
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, count_up, (void*)i), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(load_relaxed(&trouble), 0);
    assert_int_equal(counter, (unsigned long)THREADS * ROUNDS);
    assert_int_equal(load_relaxed(&lock.word), 0);
}

static void trylock_of_a_held_lock(void** state) {
    (void)state;
    HakLock mine = {0};
    assert_true(hak_trylock(&mine));
    assert_false(hak_trylock(&mine));
    hak_unlock(&mine);
    assert_true(hak_trylock(&mine));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trylock_of_a_held_lock), cmocka_unit_test(excludes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
