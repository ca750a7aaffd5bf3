#include "thread/tls.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>

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

// Who holds which control block, by number: not in the control block, where the compiler would leave out a mark that
// nothing reads.
enum { NUMBERS = 4096 };
static _Atomic bool held[NUMBERS];
static _Atomic bool shared;

static void hold_for_a_moment(const HakTcb* tcb) {
    if (tcb->number >= NUMBERS || atomic_exchange(&held[tcb->number], true)) atomic_store(&shared, true);
    sched_yield();
    if (tcb->number < NUMBERS) atomic_store(&held[tcb->number], false);
}

static void* take_and_give(void* argument) {
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        HakTcb* tcb = tcb_take(&tls);
        if (tcb == NULL) {
            atomic_store(&shared, true);
            break;
        }
        hold_for_a_moment(tcb);
        tcb_give(tcb);
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

// --- in the child of a fork, where the threads that had the TCBs do not exist

enum { DEAD = 40, RACES = 300 };

static HakTls dead;
static HakTls takers[THREADS];
static _Atomic unsigned left_taken, at_the_start;
static _Atomic bool lost_taken;

static unsigned saved;

static void count_saved(HakTcb* tcb) {
    saved += tcb->tls == &dead;
}

// Every second one is in an operation. It becomes LOST; the others become LEFT.
static void take_for_the_dead(HakTcb* taken[DEAD]) {
    for (int i = 0; i < DEAD; i++) {
        assert_non_null(taken[i] = tcb_take(&dead));
        assert_int_equal(taken[i]->inside, INSIDE);
        if (i % 2) store_relaxed(&taken[i]->inside, OUTSIDE);
    }
}

static HakTcb* take_one_left(HakTcb* const taken[DEAD]) {
    HakTcb* next = tcb_take(&tls);
    bool was_left = false;
    for (int i = 1; i < DEAD; i += 2) was_left |= next == taken[i];
    assert_true(was_left);
    assert_int_equal(next->state, TCB_LIVING);
    assert_int_equal(next->inside, INSIDE);
    assert_ptr_equal(next->tls, &tls);
    return next;
}

static void who_was_in_an_operation_is_lost_others_are_left(void** state) {
    (void)state;
    HakTcb *taken[DEAD], *own = tcb_take(&tls);
    take_for_the_dead(taken);
    HakTcb* spare = tcb_take(&tls);
    tcb_give(spare);  // a bare one in the pool
    saved = 0;
    tcb_after_fork_in_child(&tls, count_saved, true);
    assert_int_equal(saved, DEAD / 2);
    assert_int_equal(own->state, TCB_LIVING);
    assert_ptr_equal(own->tls, &tls);
    assert_int_equal(spare->state, TCB_LIVING);
    for (int i = 0; i < DEAD; i++) {
        assert_int_equal(taken[i]->state, i % 2 ? TCB_LEFT : TCB_LOST);
        assert_null(taken[i]->tls);
    }
    HakTcb* again[DEAD / 2];
    for (int n = 0; n < DEAD / 2; n++) {  // these come before bare ones
        again[n] = take_one_left(taken);
        for (int m = 0; m < n; m++) assert_ptr_not_equal(again[n], again[m]);
    }
    assert_null(tcb_take_left(&tls));
    for (int n = 0; n < DEAD / 2; n++) tcb_give(again[n]);
    HakTcb* more[2 * DEAD];
    for (int n = 0; n < 2 * DEAD; n++) {
        more[n] = tcb_take(&tls);
        for (int i = 0; i < DEAD; i += 2) assert_ptr_not_equal(more[n], taken[i]);
    }
    for (int n = 0; n < 2 * DEAD; n++) tcb_give(more[n]);
    tcb_give(own);
}

static void a_second_fork_loses_what_was_being_taken_and_keeps_the_rest(void** state) {
    (void)state;
    HakTcb* taken[DEAD];
    take_for_the_dead(taken);
    tcb_after_fork_in_child(&tls, NULL, true);
    HakTcb* given_up = tcb_take_left(&takers[0]);  // by a thread that the second child does not have
    assert_non_null(given_up);
    tcb_after_fork_in_child(&tls, NULL, true);
    assert_int_equal(given_up->state, TCB_LOST);
    unsigned left = 0;
    for (HakTcb* tcb; (tcb = tcb_take_left(&tls)) != NULL; left++) {
        assert_ptr_not_equal(tcb, given_up);
        tcb_give(tcb);
    }
    assert_int_equal(left, DEAD / 2 - 1);
    for (int i = 0; i < DEAD; i += 2) assert_int_equal(taken[i]->state, TCB_LOST);
}

static void a_reserve_in_use_is_lost_and_another_takes_its_place(void** state) {
    (void)state;
    HakTcb* first = tcb_reserve_lock();
    assert_non_null(first);
    tcb_reserve_unlock();
    tcb_after_fork_in_child(&tls, NULL, true);
    assert_ptr_equal(tcb_reserve_lock(), first);
    tcb_reserve_unlock();
    for (int i = 0; i < 2; i++) {
        tcb_after_fork_in_child(&tls, NULL, false);
        assert_int_equal(first->state, TCB_LOST);
        HakTcb* next = tcb_reserve_lock();
        tcb_reserve_unlock();
        assert_non_null(next);
        assert_ptr_not_equal(next, first);
        assert_true(tcb_is_reserve(next));
        first = next;
    }
    tcb_after_fork_in_child(&tls, NULL, true);  // nobody used it, so it is whole
    assert_int_equal(first->state, TCB_LIVING);
}

// Does what a thread does that gives up LEFT TCBs: puts them into the pool, where others find them, as fast as
// possible.
static void* take_what_is_left(void* argument) {
    HakTls* mine = argument;
    atomic_fetch_add(&at_the_start, 1);
    while (atomic_load(&at_the_start) < THREADS) sched_yield();
    for (HakTcb* tcb; (tcb = tcb_take_left(mine)) != NULL;) {
        if (tcb->state != TCB_LIVING) atomic_store(&lost_taken, true);
        hold_for_a_moment(tcb);
        atomic_fetch_add(&left_taken, 1);
        tcb_give(tcb);
    }
    return NULL;
}

static void each_one_left_is_taken_once(void** state) {
    (void)state;
    for (int race = 0; race < RACES; race++) {
        HakTcb* taken[DEAD];
        for (int i = 0; i < DEAD; i++) {
            assert_non_null(taken[i] = tcb_take(&dead));
            store_relaxed(&taken[i]->inside, OUTSIDE);
        }
        tcb_after_fork_in_child(&tls, NULL, true);
        left_taken = at_the_start = 0;
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, take_what_is_left, &takers[i]), 0);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        assert_int_equal(left_taken, DEAD);
        assert_false(shared);
        assert_false(lost_taken);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_distinct_aligned_and_listed),
        cmocka_unit_test(those_with_parked_bins_come_first_and_are_few),
        cmocka_unit_test(no_two_threads_have_the_same_block),
        cmocka_unit_test(the_checked_build_hands_out_the_oldest_first),
        cmocka_unit_test(each_one_left_is_taken_once),
        cmocka_unit_test(who_was_in_an_operation_is_lost_others_are_left),
        cmocka_unit_test(a_second_fork_loses_what_was_being_taken_and_keeps_the_rest),
        cmocka_unit_test(a_reserve_in_use_is_lost_and_another_takes_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
