// Claim first: in any interleaving, at most one of many threads gets a slab without owner, and what is pushed onto a
// remote stack is drained exactly once.
#include "slab/ownership.h"

#include "slab/hand_over.h"
#include "slab/remote_free.h"
#include "superslab/superslab.h"
#include "support/test.h"
#include "thread/link.h"
#include "thread/tls.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { THREADS = 4, CLASS = 4, ROUNDS = 20000 };

static HakTcb* tcbs[THREADS + 1];
static SlabNumber contested;
static _Atomic int holders;
static _Atomic unsigned long wins;
static _Atomic bool wrong;

static int start(void** state) {
    (void)state;
    link_init(true);
    if (!heap_init()) return -1;
    for (int i = 0; i <= THREADS; i++)
        if ((tcbs[i] = tcb_take(&hak_tls)) == NULL) return -1;
    return 0;
}

static OwnedSlab new_slab(HakTcb* me) {
    bool clean = false;
    SlabNumber s = superslab_take_slab(&clean);
    if (s == 0) s = superslab_make(false, &clean);
    assert_int_not_equal(s, 0);
    return slab_create(me, s, CLASS, clean);
}

// The thread allocates this class: it keeps the slab, even when it is empty, and the slabs that it adopts.
static OwnedSlab new_bound_slab(HakTcb* me) {
    OwnedSlab slab = new_slab(me);
    me->tiny[CLASS].bound = slab.number;
    slab_place(me, slab, PLACE_BOUND);
    return slab;
}

static void claims_one_after_another(void** state) {
    (void)state;
    ClaimResult result;
    uint64_t tag = tag_of_class(CLASS);
    OwnedSlab slab = new_slab(tcbs[0]);
    assert_int_not_equal(slab.number, 0);
    assert_int_equal(slab_claim(tcbs[0], slab.number, tag, &result).number, slab.number);
    assert_int_equal(result, CLAIM_MINE);
    assert_int_equal(slab_claim(tcbs[1], slab.number, tag, &result).number, 0);
    assert_int_equal(result, CLAIM_FOREIGN);
    assert_int_equal(slab_claim(tcbs[1], slab.number, tag_of_class(CLASS + 1), &result).number, 0);
    assert_int_equal(result, CLAIM_WRONG_TAG);

    TakenBlocks taken = slab_take(tcbs[0], slab, 3);
    assert_int_equal(taken.count, 3);
    assert_true(slab_publish(tcbs[0], slab));
    assert_true(registry_has(CLASS));
    assert_int_equal(slab_claim(tcbs[1], slab.number, tag, &result).number, slab.number);
    assert_int_equal(result, CLAIM_WON);
    assert_false(registry_has(CLASS));
    assert_int_equal(slab_claim(tcbs[0], slab.number, tag, &result).number, 0);
    assert_int_equal(result, CLAIM_FOREIGN);
    assert_int_equal(slab_check(slab.number), 0);

    assert_true(slab_publish(tcbs[1], slab));
    OwnedSlab adopted = slab_adopt_registered(tcbs[2], CLASS, 4, &result);
    assert_int_equal(adopted.number, slab.number);
    assert_int_equal(result, CLAIM_WON);
    assert_int_equal(slab_adopt_registered(tcbs[3], CLASS, 4, &result).number, 0);

    // a free into it by another thread goes to its remote stack, and the owner drains it
    void* first = taken.first;
    void* second = link_read(first);
    remote_free(tcbs[0], slab.number, first, first, 1);
    remote_free(tcbs[1], slab.number, second, second, 1);
    assert_true(remote_has_blocks(adopted));
    RemoteBlocks drained = remote_drain(tcbs[2], adopted);
    assert_int_equal(drained.count, 2);
    assert_ptr_equal(drained.first, second);
    assert_ptr_equal(link_read(drained.first), first);
    assert_false(remote_has_blocks(adopted));
}

static void* claim_and_publish(void* argument) {
    HakTcb* me = argument;
    for (int i = 0; i < ROUNDS; i++) {
        ClaimResult result;
        OwnedSlab slab = slab_claim(me, contested, tag_of_class(CLASS), &result);
        if (slab.number == 0) {
            sched_yield();
            continue;
        }
        if (add_relaxed(&holders, 1) != 0) store_relaxed(&wrong, true);
        if (result != CLAIM_WON) store_relaxed(&wrong, true);
        add_relaxed(&wins, 1ul);
        if (slab_check(slab.number) != 0) store_relaxed(&wrong, true);
        add_relaxed(&holders, -1);
        if (!slab_publish(me, slab)) store_relaxed(&wrong, true);
    }
    return NULL;
}

static void one_winner_at_a_time(void** state) {
    (void)state;
    OwnedSlab slab = new_slab(tcbs[THREADS]);
    assert_int_equal(slab_take(tcbs[THREADS], slab, 1).count, 1);
    contested = slab.number;
    assert_true(slab_publish(tcbs[THREADS], slab));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim_and_publish, tcbs[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_false(load_relaxed(&wrong));
    assert_true(load_relaxed(&wins) > ROUNDS);
    ClaimResult result;
    assert_int_equal(slab_claim(tcbs[THREADS], contested, tag_of_class(CLASS), &result).number, contested);
}

// Three threads push, the owner drains. Every block arrives once.
typedef struct {
    HakTcb* me;
    void* chain;
} Pusher;

static void* push_all(void* argument) {
    Pusher* pusher = argument;
    for (void *block = pusher->chain, *next; block; block = next) {
        next = link_read(block);
        remote_free(pusher->me, contested, block, block, 1);
    }
    return NULL;
}

static void pushed_blocks_arrive_once(void** state) {
    (void)state;
    OwnedSlab slab = new_bound_slab(tcbs[THREADS]);
    contested = slab.number;
    uint32_t capacity = meta_of(slab)->capacity, each = capacity / THREADS;
    for (int round = 0; round < 50; round++) {
        pthread_t threads[THREADS];
        Pusher pushers[THREADS];
        uint32_t handed_out = 0, drained = 0;
        for (int i = 0; i < THREADS; i++) {
            pushers[i] = (Pusher){tcbs[i], NULL};
            for (uint32_t n = 0; n < each; n++) {
                TakenBlocks one = slab_take(tcbs[THREADS], slab, 1);
                assert_int_equal(one.count, 1);
                link_write(one.first, pushers[i].chain);
                pushers[i].chain = one.first;
                handed_out++;
            }
        }
        for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0);
        while (drained < handed_out) {
            RemoteBlocks blocks = remote_drain(tcbs[THREADS], slab);
            for (void *block = blocks.first, *next; blocks.count-- > 0; block = next, drained++) {
                next = link_read(block);
                assert_int_equal(((uintptr_t)block - (uintptr_t)slab_address(contested)) % meta_of(slab)->block_size,
                                 0);
                slab_free_chain(tcbs[THREADS], slab, block, block, 1);
            }
        }
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        assert_false(remote_has_blocks(slab));
        assert_int_equal(slab_check(slab.number), 0);
        assert_int_equal(meta_used(meta_of(slab)), 0);
    }
}

// Every block but the one that is still in use comes out of the slab once; then it is full.
static void expect_all_but(HakTcb* me, OwnedSlab slab, const void* in_use) {
    static bool seen[SLAB_SIZE / 16];
    uint32_t capacity = meta_of(slab)->capacity, size = meta_of(slab)->block_size;
    memset(seen, 0, sizeof seen);
    for (uint32_t n = 0; n < capacity - 1; n++) {
        const void* block = slab_take(me, slab, 1).first;
        assert_non_null(block);
        assert_ptr_not_equal(block, in_use);
        size_t index = ((uintptr_t)block - (uintptr_t)slab_address(slab.number)) / size;
        assert_true(index < capacity);
        assert_false(seen[index]);
        seen[index] = true;
    }
    assert_int_equal(slab_take(me, slab, 1).count, 0);
}

// A full slab is given up, and whoever frees into it next owns it; frees of several threads at a time all arrive.
static void a_full_slab_goes_to_who_frees_into_it(void** state) {
    (void)state;
    OwnedSlab slab = new_slab(tcbs[THREADS]);
    contested = slab.number;
    Pusher pushers[THREADS] = {{NULL, NULL}};
    void* kept = slab_take(tcbs[THREADS], slab, 1).first;  // one live block, so that nobody gives the slab back
    for (unsigned n = 0;; n++) {
        TakenBlocks one = slab_take(tcbs[THREADS], slab, 1);
        if (one.count == 0) break;
        link_write(one.first, pushers[n % THREADS].chain);
        pushers[n % THREADS].chain = one.first;
    }
    assert_true(slab_publish(tcbs[THREADS], slab));
    assert_false(registry_has(CLASS));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pushers[i].me = tcbs[i];
        new_bound_slab(tcbs[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int owners = 0;
    for (int i = 0; i < THREADS; i++) {
        ClaimResult result;
        OwnedSlab adopted = slab_claim(tcbs[i], contested, tag_of_class(CLASS), &result);
        if (adopted.number == 0) continue;
        owners++;
        assert_int_equal(result, CLAIM_MINE);
        slab_absorb(tcbs[i], adopted);
        assert_int_equal(meta_used(meta_of(adopted)), 1);
        assert_int_equal(slab_check(adopted.number), 0);
        expect_all_but(tcbs[i], adopted, kept);
    }
    assert_int_equal(owners, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_one_after_another),
        cmocka_unit_test(one_winner_at_a_time),
        cmocka_unit_test(pushed_blocks_arrive_once),
        cmocka_unit_test(a_full_slab_goes_to_who_frees_into_it),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
