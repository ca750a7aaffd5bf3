// Every stage of the refill is reached and serves. For each one the test sets up the situation that it is for; its
// counters must show it.
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    SIZE = 1000,
    PER_SLAB = 64,
    SLABS = 12,
    BLOCKS = SLABS * PER_SLAB
};  // of the class of 1 KiB; half a slab of them fills a bin

static char* blocks[BLOCKS];

static uintptr_t slab_of(const void* p) {
    return (uintptr_t)p >> 16;
}

typedef struct {
    void* (*body)(void*);
    void* argument;
} Call;

// Leaves no bins to the next thread: the freed blocks are in their slabs.
static void* then_trim(void* argument) {
    const Call* call = argument;
    call->body(call->argument);
    t_trim(SIZE_MAX);
    return NULL;
}

static void in_thread(void* (*body)(void*), void* argument) {
    Call call = {body, argument};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, then_trim, &call) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static void fill(void) {
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = t_malloc(SIZE);
        memset(blocks[i], i, SIZE);
    }
}

static void empty(void) {
    for (int i = 0; i < BLOCKS; i++) t_free(blocks[i]);
    memset(blocks, 0, sizeof blocks);
}

// Number of the slab with the newest block: of the slabs in the order in which they were last bound, the `nth`; 0 is
// the newest.
static uintptr_t nth_newest_slab(int nth) {
    uintptr_t last = 0;
    for (int i = BLOCKS - 1; i >= 0; i--) {
        if (blocks[i] == NULL || slab_of(blocks[i]) == last) continue;
        last = slab_of(blocks[i]);
        if (nth-- == 0) return last;
    }
    CHECK(false, "the blocks fill fewer slabs than expected");
}

// Frees every second block, so that the slab has free and live ones.
static void* free_half_of(void* slab) {
    int n = 0;
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] != NULL && slab_of(blocks[i]) == (uintptr_t)slab && n++ % 2 == 0) {
            t_free(blocks[i]);
            blocks[i] = NULL;
        }
    return NULL;
}

// Takes more than the thread has cached and in slabs with free blocks, so that a refill tries all stages before
// `fresh`.
static void refill_now(void) {
    char* wanted[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) wanted[i] = t_malloc(SIZE);
    for (int i = 0; i < BLOCKS; i++) t_free(wanted[i]);
}

// ---- the situations; each runs in a thread of its own, which starts without slabs

static void* own_partial_slab(void* unused) {
    (void)unused;
    fill();
    // more frees than the cache holds go to the slabs, and come back from there
    empty();
    fill();
    empty();
    return NULL;
}

static void* recently_bound_slab_that_others_freed_into(void* unused) {
    (void)unused;
    fill();
    in_thread(free_half_of, (void*)nth_newest_slab(1));
    refill_now();
    empty();
    return NULL;
}

// Makes `slab` the one that most recently got a block back, then full again. Half of its blocks fill the bin.
static void make_hot(uintptr_t slab) {
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] != NULL && slab_of(blocks[i]) == slab) {
            t_free(blocks[i]);
            blocks[i] = NULL;
        }
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] == NULL) blocks[i] = t_malloc(SIZE);
}

// Six more slabs push all others out of the sticky ring. Then others free into `slab`.
static void forget_and_free(uintptr_t slab) {
    char* more[6 * PER_SLAB];
    for (int i = 0; i < 6 * PER_SLAB; i++) more[i] = t_malloc(SIZE);
    in_thread(free_half_of, (void*)slab);
    refill_now();
    for (int i = 0; i < 6 * PER_SLAB; i++) t_free(more[i]);
    empty();
}

static void* hot_slab_that_others_freed_into(void* unused) {
    (void)unused;
    fill();
    uintptr_t hot = nth_newest_slab(SLABS - 2);
    make_hot(hot);
    forget_and_free(hot);
    return NULL;
}

static void* formerly_hot_slab_that_others_freed_into(void* unused) {
    (void)unused;
    fill();
    uintptr_t bench = nth_newest_slab(SLABS - 2), hot = nth_newest_slab(SLABS - 3);
    make_hot(bench);
    make_hot(hot);
    forget_and_free(bench);
    return NULL;
}

// A thread that allocates blocks of another class: it keeps one of the slabs that it frees into, and announces the
// others.
static void* free_halves(void* slabs) {
    t_free(t_malloc(16));
    for (uintptr_t* slab = slabs; *slab != 0; slab++) free_half_of((void*)*slab);
    return NULL;
}

// More slabs than hints can name. A thread that has no use for them frees into them.
static void* slabs_that_others_announced(void* unused) {
    (void)unused;
    uintptr_t slabs[8 + 1] = {0};
    fill();
    for (int i = 0; i < 8; i++) slabs[i] = nth_newest_slab(i + 2);
    in_thread(free_halves, slabs);
    refill_now();
    empty();
    return NULL;
}

static void* leave_half(void* unused) {
    (void)unused;
    fill();
    for (int i = 0; i < BLOCKS; i += 2) {
        t_free(blocks[i]);
        blocks[i] = NULL;
    }
    return NULL;
}

static void* slab_of_an_ended_thread(void* unused) {
    (void)unused;
    in_thread(leave_half, NULL);
    refill_now();
    empty();
    return NULL;
}

// Frees more blocks of one class than the cache holds: the thread keeps an empty slab, which another class gets.
static void* spare_slab_of_another_class(void* unused) {
    (void)unused;
    fill();
    empty();
    char* other[64];
    for (int i = 0; i < 64; i++) other[i] = t_malloc(SIZE / 2);
    for (int i = 0; i < 64; i++) t_free(other[i]);
    return NULL;
}

static void* much_new_memory(void* unused) {
    (void)unused;
    enum { MANY = 2000 };
    static char* many[MANY];
    for (int i = 0; i < MANY; i++) many[i] = t_malloc(SIZE);
    for (int i = 0; i < MANY; i++) t_free(many[i]);
    return NULL;
}

static const struct {
    const char* stage;
    void* (*situation)(void*);
    int attempts;
} stages[] = {
    {"superslab", much_new_memory, 1},
    {"fresh", much_new_memory, 1},
    {"tls_slab", own_partial_slab, 1},
    {"sticky", recently_bound_slab_that_others_freed_into, 5},
    {"hot", hot_slab_that_others_freed_into, 5},
    {"bench", formerly_hot_slab_that_others_freed_into, 5},
    {"mailbox", slabs_that_others_announced, 5},
    {"adopt", slab_of_an_ended_thread, 5},
    {"mmap_gate", spare_slab_of_another_class, 1},
};

static uint64_t counter_of(const char* stage, const char* what) {
    char name[64];
    snprintf(name, sizeof name, "%s_%s", stage, what);
    return test_counter(name);
}

static void each_stage_is_tried_where_the_one_before_failed(void) {
    static const char* const order[] = {"tls_slab", "sticky",    "hot",   "bench",    "mailbox",
                                        "adopt",    "mmap_gate", "fresh", "superslab"};
    for (size_t i = 0; i + 1 < sizeof order / sizeof *order; i++) {
        uint64_t failed = counter_of(order[i], "tried") - counter_of(order[i], "hit");
        uint64_t tried = counter_of(order[i + 1], "tried");
        CHECK(tried == failed, "%s did not serve %llu times, and %s was tried %llu times", order[i],
              (unsigned long long)failed, order[i + 1], (unsigned long long)tried);
    }
}

int main(void) {
    test_start("stages", 0);
    unsigned missed = 0;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        const char* stage = stages[i].stage;
        uint64_t tried_before = counter_of(stage, "tried"), hit_before = counter_of(stage, "hit");
        for (int n = 0; n < stages[i].attempts && counter_of(stage, "hit") == hit_before; n++)
            in_thread(stages[i].situation, NULL);
        uint64_t tried_now = counter_of(stage, "tried") - tried_before, hit_now = counter_of(stage, "hit") - hit_before;
        test_say("%-10s tried %6llu hit %6llu%s", stage, (unsigned long long)tried_now, (unsigned long long)hit_now,
                 hit_now == 0 ? "   MISSED" : "");
        missed += hit_now == 0;
        test_check_heap();
    }
    CHECK(missed == 0, "%u stages never served", missed);
    each_stage_is_tried_where_the_one_before_failed();
    test_say("stages: ok");
    return 0;
}
