// The unsafe drains plant no fault. Done while the owner of the slab stands still, they leave its heap sound and every
// block accounted for. Only when both write at once does the heap break.
#include "refill/unsafe_drain.h"

#include "front/life.h"
#include "slab/bundle.h"
#include "slab/remote.h"
#include "slab/slab.h"
#include "superslab/size_class.h"
#include "thread/operation.h"
#include "unit.h"

#include <hakmem/hakmem.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 48, BLOCKS = 3000, TURNS = 2 };

// The two threads take turns: one stands still while the other works.
static pthread_barrier_t turn;
static void* block[BLOCKS];
static size_t wrong_of_owner;
static SlabNumber drained_slab;
static bool all_accounted_for;

static int by_address(const void* a, const void* b) {
    uintptr_t x = (uintptr_t) * (void*const*)a, y = (uintptr_t) * (void*const*)b;
    return (x > y) - (x < y);
}

// Every block that the other thread freed into the slab is handed out again, once.
static bool each_comes_back_once(void) {
    static void* again[BLOCKS];
    SlabNumber slabs[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        again[i] = hak_malloc(SIZE);
        memset(again[i], 'a', SIZE);
        slabs[i] = (SlabNumber)slab_number_of(again[i]);
    }
    qsort(again, BLOCKS, sizeof again[0], by_address);
    bool once = true;
    for (int i = 1; i < BLOCKS; i++)
        if (again[i] == again[i - 1]) once = false;
    size_t from_drained = 0, freed_in_drained = 0;
    for (int i = 0; i < BLOCKS; i++) from_drained += slabs[i] == drained_slab;
    for (int i = 0; i < BLOCKS; i += 2) freed_in_drained += (SlabNumber)slab_number_of(block[i]) == drained_slab;
    for (int i = 0; i < BLOCKS; i++) hak_free(again[i]);
    return once && from_drained >= freed_in_drained;
}

static void* owner(void* unused) {
    (void)unused;
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = hak_malloc(SIZE);
        memset(block[i], 'a', SIZE);
    }
    pthread_barrier_wait(&turn);  // the other thread frees and drains now
    pthread_barrier_wait(&turn);
    wrong_of_owner = hak_check();
    all_accounted_for = each_comes_back_once();
    wrong_of_owner += hak_check();
    hak_trim(SIZE_MAX);  // leaves no bins to the next owner
    pthread_barrier_wait(&turn);
    return NULL;
}

// Frees every second block, so that these wait on the remote stacks of the owner's slabs. Some slab stays the owner's.
static void free_every_second(HakTcb* me) {
    for (int i = 0; i < BLOCKS; i += 2) hak_free(block[i]);
    operation_enter(me);
    bundles_flush(me);
    operation_end(me);
}

static uint32_t waiting_in(SlabNumber s) {
    return remote_count(load_relaxed(remote_word(s)));
}

// A slab of the other thread with blocks on its remote stack and an empty free list.
static SlabNumber slab_with_waiting_blocks(const HakTcb* me) {
    unsigned c = class_of_size(SIZE);
    for (int i = 0; i < BLOCKS; i++) {
        SlabNumber s = (SlabNumber)slab_number_of(block[i]);
        uint64_t word = load_relaxed(owner_word(s)), owner_part = word_owner(word);
        if (owner_part == 0 || owner_part == (uint64_t)(uintptr_t)me || word_tag(word) != tag_of_class(c)) continue;
        if (waiting_in(s) > 1 && hak_heap.meta[s].freelist == NULL) return s;
    }
    return 0;
}

static void drain_superslab(HakTcb* me, SlabNumber s) {
    (void)s;
    unsafe_drain_superslab(me, CHANGE_alloc_superslab, class_of_size(SIZE));
}

static void drain_and_bind(HakTcb* me, SlabNumber s) {
    unsigned c = class_of_size(SIZE);
    OwnedSlab slab = unsafe_drain_and_bind(me, CHANGE_sticky, c, s);
    assert_int_equal(slab.number, s);
    assert_int_equal(me->tiny[c].bound, s);
    assert_int_equal(bound_slab(me, c).number, 0);  // bound, but not its own
    me->tiny[c].bound = 0;                          // the caller goes no further on the wrong path
}

// Lets the owner run to its end, where it frees the other half of its blocks.
static void the_owner_goes_on(pthread_t thread) {
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
    assert_int_equal(wrong_of_owner, 0);
    assert_true(all_accounted_for);
    for (int i = 1; i < BLOCKS; i += 2) hak_free(block[i]);
}

static void while_the_owner_stands_still(void (*drain)(HakTcb* me, SlabNumber s)) {
    pthread_t thread;
    HakTcb* me = thread_tcb();
    void* own = hak_malloc(SIZE);  // binds a slab beside the other thread's
    assert_int_equal(pthread_create(&thread, NULL, owner, NULL), 0);
    pthread_barrier_wait(&turn);
    free_every_second(me);
    drained_slab = slab_with_waiting_blocks(me);
    assert_int_not_equal(drained_slab, 0);
    uint32_t waiting = waiting_in(drained_slab);
    const TinySlabMeta* meta = &hak_heap.meta[drained_slab];
    uint32_t used = meta_used(meta), free_count = meta_free(meta);

    operation_enter(me);
    drain(me, drained_slab);
    operation_end(me);
    assert_int_equal(waiting_in(drained_slab), 0);
    assert_int_equal(meta_free(meta), free_count + waiting);
    assert_int_equal(meta_used(meta), used - waiting);

    the_owner_goes_on(thread);
    hak_free(own);
    assert_int_equal(hak_check(), 0);
}

static void draining_a_superslab(void** state) {
    (void)state;
    while_the_owner_stands_still(drain_superslab);
}

static void draining_and_binding(void** state) {
    (void)state;
    while_the_owner_stands_still(drain_and_bind);
}

// Before anything of a class is bound, there is no SuperSlab to drain, whatever the thread's other notes say.
static void nothing_was_bound(void** state) {
    (void)state;
    pthread_t thread;
    HakTcb* me = thread_tcb();
    unsigned unused = class_of_size(6000);
    TinyTLSSlab* tls = &me->tiny[unused];
    assert_int_equal(tls->bound, 0);
    assert_int_equal(tls->sticky_next, 0);
    assert_int_equal(pthread_create(&thread, NULL, owner, NULL), 0);
    pthread_barrier_wait(&turn);
    free_every_second(me);
    SlabNumber s = slab_with_waiting_blocks(me), bench = tls->bench;
    assert_int_not_equal(s, 0);
    uint32_t waiting = waiting_in(s);
    tls->bench = s;
    operation_enter(me);
    unsafe_drain_superslab(me, CHANGE_alloc_superslab, unused);
    operation_end(me);
    assert_int_equal(waiting_in(s), waiting);
    tls->bench = bench;
    drained_slab = s;
    the_owner_goes_on(thread);
    assert_int_equal(hak_check(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_a_superslab),
        cmocka_unit_test(draining_and_binding),
        cmocka_unit_test(nothing_was_bound),
    };
    pthread_barrier_init(&turn, NULL, TURNS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
