#include "thread/tls.h"

#include "unit.h"

#include <pthread.h>

static HakTls tls;

enum { THREADS = 6, ROUNDS = 20000 };

static void blocks_are_distinct_aligned_and_listed(void** state) {
    (void)state;
    HakTcb* taken[20];
    for (int i = 0; i < 20; i++) {
        taken[i] = tcb_take(&tls);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % 4096, 0);
        for (int j = 0; j < i; j++) assert_true(taken[j] != taken[i] && taken[j]->number != taken[i]->number);
        bool listed = false;
        for (HakTcb* tcb = tcb_all(); tcb; tcb = tcb->next_all) listed |= tcb == taken[i];
        assert_true(listed);
    }
    for (int i = 0; i < 20; i++) tcb_give(taken[i]);
}

static void the_checked_build_hands_out_the_oldest_first(void** state) {
    (void)state;
    HakTcb* a = tcb_take(&tls);
    tcb_give(a);
    unsigned others = 0;
    HakTcb* next;
    while ((next = tcb_take(&tls)) != a && others < 100) others++;
    assert_ptr_equal(next, a);
    assert_true(others >= 1);
}

static size_t count_one(const HakTcb* tcb) {
    return tcb->parked_blocks == 1;
}

static void those_with_parked_bins_come_first_and_are_few(void** state) {
    (void)state;
    HakTcb* taken[20];
    for (int i = 0; i < 20; i++) assert_non_null(taken[i] = tcb_take(&tls));
    unsigned parked = 0;
    while (parked < 20 && tcb_book_parking()) parked++;
    assert_int_equal(parked, 8);  // booked, though none is there yet
    tcb_cancel_parking();
    assert_true(tcb_book_parking());
    for (unsigned i = 0; i < 20; i++) {
        if (i < parked) {
            taken[i]->parked_blocks = 1;
            taken[i]->parked_ms = 100 + i;
        }
        tcb_give(taken[i]);
    }
    assert_int_equal(tcb_check_parked(count_one), 8);
    assert_false(tcb_book_parking());
    assert_null(tcb_take_parked(&tls, 149, 50));
    HakTcb* old = tcb_take_parked(&tls, 152, 50);
    assert_non_null(old);
    assert_true(old->parked_ms + 50 <= 152);
    assert_true(tcb_book_parking());
    tcb_cancel_parking();
    for (unsigned i = 0; i < parked - 1; i++) {
        HakTcb* next = tcb_take(&tls);
        assert_int_equal(next->parked_blocks, 1);
        assert_ptr_not_equal(next, old);
        next->parked_blocks = 0;
        tcb_give(next);
    }
    old->parked_blocks = 0;
    tcb_give(old);
    assert_null(tcb_take_parked(&tls, UINT64_MAX, 0));
    HakTcb* bare = tcb_take(&tls);
    assert_int_equal(bare->parked_blocks, 0);
    tcb_give(bare);
    assert_int_equal(tcb_check_parked(count_one), 0);
}

static _Atomic bool shared;

static void* take_and_give(void* argument) {
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        HakTcb* tcb = tcb_take(&tls);
        if (tcb == NULL || tcb->bundled != 0)
            atomic_store(&shared, true);
        else {
            tcb->bundled = 1;  // nobody else may see it
            tcb->bundled = 0;
            tcb_give(tcb);
        }
    }
    return NULL;
}

static void no_two_threads_have_the_same_block(void** state) {
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_false(atomic_load(&shared));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_distinct_aligned_and_listed),
        cmocka_unit_test(those_with_parked_bins_come_first_and_are_few),
        cmocka_unit_test(no_two_threads_have_the_same_block),
        cmocka_unit_test(the_checked_build_hands_out_the_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
