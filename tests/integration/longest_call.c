// Calls of malloc, free and realloc after everything that can pile up before one: scans that are due, much that other
// threads have freed, thousands of free runs. All of it beside 5,500 SuperSlabs: a program has 16 GiB under callgrind.
// longest_call.py runs this there and reads from the dumps how many instructions the longest call took.
//
//   longest_call SCENARIO        or without: prints their names
//
// Not looked at: malloc_trim; the end of a thread; the first call after the whole program has rested for two periods,
// which gives back all there is; calls for which the system has no memory; and blocks of more than 2 GiB, whose units
// are marked one by one.
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>

enum {
    BESIDE = 11000,
    BESIDE_BYTES = 700000,  // two of them fit a SuperSlab; nobody touches them
    PERIOD_MS = 250,        // HAKMEM_PURGE_MS
};

// --- counting

// A dump takes a while, so there is none for a call that callgrind finishes in a time in which it executes a fraction
// of what is allowed.
static const double worth_a_dump = 50e-6;

#define COUNTED(format, argument, CALL)                          \
    do {                                                         \
        char what[64];                                           \
        CALLGRIND_ZERO_STATS;                                    \
        const double began = now_seconds();                      \
        CALLGRIND_TOGGLE_COLLECT;                                \
        CALL;                                                    \
        CALLGRIND_TOGGLE_COLLECT;                                \
        if (now_seconds() - began < worth_a_dump) break;         \
        snprintf(what, sizeof what, format, (size_t)(argument)); \
        CALLGRIND_DUMP_STATS_AT(what);                           \
    } while (0)

static void* (*volatile allocate)(size_t) = malloc;
static void* (*volatile reallocate)(void*, size_t) = realloc;
static void (*volatile release)(void*) = free;

static void* counted_malloc(size_t size) {
    void* block;
    COUNTED("malloc(%zu)", size, block = allocate(size));
    return block;
}

static void* counted_realloc(void* block, size_t size) {
    void* moved;
    COUNTED("realloc to %zu", size, moved = reallocate(block, size));
    return moved;
}

static void counted_free(void* block, size_t size) {
    COUNTED("free of %zu", size, release(block));
}

static const size_t sizes[] = {16, 48, 256, 1000, 3000, 8000, 12000, 20000, 40000, 100000, 300000, 1000000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

// Blocks of middle sizes shrink: to copy them would be most of the time.
static size_t resized(size_t size) {
    return size < 16384 || size > 1 << 20 ? size + size / 3 : size - size / 3;
}

// A malloc and a free of every kind of size, some blocks of each.
static void use_all_sizes(void) {
    enum { EACH = 6 };
    for (int i = 0; i < SIZES; i++) {
        char* blocks[EACH];
        for (int b = 0; b < EACH; b++) blocks[b] = counted_malloc(sizes[i]);
        for (int b = 0; b < EACH; b++) counted_free(blocks[b], sizes[i]);
        const size_t other = resized(sizes[i]);
        counted_free(counted_realloc(counted_malloc(sizes[i]), other), other);
    }
}

// --- what others do

typedef struct {
    char** blocks;
    size_t count, step;
} Batch;

// Memory that goes back at last shows that the program has not rested.
static void* free_batch(void* argument) {
    const Batch* batch = argument;
    for (size_t i = 0; i < batch->count; i += batch->step) free(batch->blocks[i]);
    free(malloc(3000000));
    return NULL;
}

static void let_another_free(char** blocks, size_t count, size_t step) {
    Batch batch = {blocks, count, step};
    pthread_join(test_thread(free_batch, &batch), NULL);
}

static void* work_a_little(void* ms) {
    for (uintptr_t i = 0; i < (uintptr_t)ms; i += 20) {
        free(malloc(3000000));
        sleep_ms(20);
    }
    return NULL;
}

// So the thread's next scan comes late, and yet the program has not rested.
static void rest_while_another_works(uintptr_t ms) {
    pthread_join(test_thread(work_a_little, (void*)ms), NULL);
}

static char* block_table[400000];

static void allocate_all(size_t count, size_t size) {
    for (size_t i = 0; i < count; i++) block_table[i] = malloc(size);
}

static void free_each(size_t from, size_t count, size_t step) {
    for (size_t i = from; i < count; i += step) free(block_table[i]);
}

static void shuffle(Random* random, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(random, i);
        char* swapped = block_table[i - 1];
        block_table[i - 1] = block_table[other];
        block_table[other] = swapped;
    }
}

// --- scenarios

// Others free ten thousand page runs of this thread.
static void pushed_runs(Random* random) {
    (void)random;
    enum { RUNS = 10000 };
    allocate_all(RUNS, 20000);
    let_another_free(block_table, RUNS, 1);
    for (int i = 0; i < 20; i++) use_all_sizes();
}

// They free every other one, and this thread frees the rest.
static void pushed_runs_between(Random* random) {
    (void)random;
    enum { RUNS = 10000 };
    allocate_all(RUNS, 20000);
    let_another_free(block_table, RUNS, 2);
    for (int i = 1; i < 1000; i += 2) counted_free(block_table[i], 20000);
    free_each(1001, RUNS, 2);
    let_another_free(block_table, 0, 1);
    for (int i = 0; i < 5; i++) use_all_sizes();
}

// They free small blocks: whole slabs of them.
static void pushed_blocks(Random* random) {
    (void)random;
    enum { BLOCKS = 200000 };
    for (int i = 0; i < 4; i++) {
        const size_t size = (size_t)16 << i;
        allocate_all(BLOCKS, size);
        let_another_free(block_table, BLOCKS, 1);
        for (int n = 0; n < 200; n++) block_table[n] = counted_malloc(size);
        for (int n = 0; n < 200; n++) counted_free(block_table[n], size);
        use_all_sizes();
    }
}

// Frees in one batch have let the bins grow, with blocks of many slabs in them. Then nothing happens for a while.
static void scan_of_full_bins(Random* random) {
    for (int round = 0; round < 4; round++)
        for (size_t size = 16; size <= 1024; size += size / 4 / 16 * 16 + 16) {
            enum { BLOCKS = 20000 };
            allocate_all(BLOCKS, size);
            shuffle(random, BLOCKS);
            free_each(0, BLOCKS, 1);
        }
    rest_while_another_works(4 * PERIOD_MS);
    for (int i = 0; i < 40; i++) use_all_sizes();
}

// The same, and blocks of the slabs are in use.
static void scan_of_bins_of_many_slabs(Random* random) {
    enum { BLOCKS = 100000 };
    allocate_all(BLOCKS, 512);
    shuffle(random, BLOCKS);
    for (int round = 0; round < 8; round++) {
        free_each(0, BLOCKS / 8, 1);
        for (int i = 0; i < BLOCKS / 8; i++) block_table[i] = malloc(512);
        shuffle(random, BLOCKS);
    }
    free_each(0, BLOCKS / 8, 1);
    rest_while_another_works(4 * PERIOD_MS);
    for (int i = 0; i < 60; i++) use_all_sizes();
    free_each(BLOCKS / 8, BLOCKS, 1);
}

// The run cache is full of runs of many SuperSlabs.
static void scan_of_cached_runs(Random* random) {
    enum { RUNS = 4000 };
    for (int i = 0; i < RUNS; i++) block_table[i] = malloc(20000 + random_below(random, 45000));
    shuffle(random, RUNS);
    free_each(0, RUNS / 2, 1);
    rest_while_another_works(4 * PERIOD_MS);
    for (int i = 0; i < 20; i++) use_all_sizes();
    for (int i = RUNS / 2; i < RUNS; i++) counted_free(block_table[i], 40000);
}

static void* leave_full_bins(void* argument) {
    const size_t part = (size_t)(uintptr_t)argument;
    for (size_t i = part * 30000; i < part * 30000 + 30000; i += 7) free(block_table[i]);
    free(malloc(3000000));
    return NULL;
}

// Threads end with full bins of blocks of this thread's slabs. Then memory is short of a SuperSlab, or time passes.
static void parked_bins(Random* random) {
    enum { BLOCKS = 300000, THREADS = 8 };
    for (int again = 0; again < 2; again++) {
        allocate_all(BLOCKS, 16);
        shuffle(random, BLOCKS);
        pthread_t threads[THREADS];
        for (size_t t = 0; t < THREADS; t++) threads[t] = test_thread(leave_full_bins, (void*)(uintptr_t)t);
        for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
        if (again) rest_while_another_works(4 * PERIOD_MS);
        use_all_sizes();
        for (int i = 0; i < 3000; i++) counted_malloc(12000);  // takes new SuperSlabs; nobody frees these
        for (int i = 0; i < 20; i++) use_all_sizes();
        for (size_t i = 0; i < BLOCKS; i++)
            if (i >= THREADS * 30000 || i % 30000 % 7 != 0) free(block_table[i]);
    }
}

// Thousands of free runs of units, none beside another, become old together.
static void old_free_units(Random* random) {
    (void)random;
    enum { BLOCKS = 2000 };
    allocate_all(BLOCKS, 2000000);
    free_each(0, BLOCKS, 2);
    rest_while_another_works(4 * PERIOD_MS);
    for (int i = 0; i < 10; i++) use_all_sizes();
    for (int i = 1; i < BLOCKS; i += 2) counted_free(block_table[i], 2000000);
}

// Thousands of free slabs that were used, in hundreds of SuperSlabs, are not needed for two periods.
static void old_free_slabs(Random* random) {
    (void)random;
    enum { BLOCKS = 60000, A_SLAB = 5 };
    allocate_all(BLOCKS, 13000);
    for (int i = 0; i < BLOCKS; i++)
        if (i / A_SLAB % 4 != 0) free(block_table[i]);
    for (int wait = 0; wait < 3; wait++) {
        rest_while_another_works(2 * PERIOD_MS);
        for (int i = 0; i < 10; i++) use_all_sizes();
    }
    for (int i = 0; i < BLOCKS; i++)
        if (i / A_SLAB % 4 == 0) free(block_table[i]);
}

// Page runs whose SuperSlabs have no owner any more.
static void* allocate_runs(void* count) {
    for (size_t i = 0; i < (size_t)(uintptr_t)count; i++) block_table[i] = malloc(20000 + i % 7 * 12000);
    return NULL;
}

static void adopted_runs(Random* random) {
    enum { RUNS = 6000 };
    pthread_join(test_thread(allocate_runs, (void*)(uintptr_t)RUNS), NULL);
    shuffle(random, RUNS);
    for (int i = 0; i < RUNS; i++) counted_free(block_table[i], 20000);
    for (int i = 0; i < 5; i++) use_all_sizes();
}

static void* use_in_new_thread(void* unused) {
    use_all_sizes();
    return unused;
}

static void births(Random* random) {
    (void)random;
    for (int i = 0; i < 20; i++) pthread_join(test_thread(use_in_new_thread, NULL), NULL);
}

// Everything at once, at random.
static void mixture(Random* random) {
    enum { BLOCKS = 20000, CALLS = 30000 };
    for (int i = 0; i < BLOCKS; i++)
        block_table[i] = malloc(i % 100 ? 16 + random_below(random, 1985) : 20000 + random_below(random, 400000));
    for (int i = 0; i < CALLS; i++) {
        size_t at = random_below(random, BLOCKS);
        counted_free(block_table[at], 1);
        block_table[at] =
            counted_malloc(i % 100 ? 16 + random_below(random, 1985) : 20000 + random_below(random, 400000));
    }
    free_each(0, BLOCKS, 1);
}

static const struct {
    const char* name;
    void (*run)(Random* random);
} scenarios[] = {
    {"births", births},
    {"mixture", mixture},
    {"pushed-runs", pushed_runs},
    {"pushed-runs-between", pushed_runs_between},
    {"adopted-runs", adopted_runs},
    {"pushed-blocks", pushed_blocks},
    {"scan-of-full-bins", scan_of_full_bins},
    {"scan-of-bins-of-many-slabs", scan_of_bins_of_many_slabs},
    {"scan-of-cached-runs", scan_of_cached_runs},
    {"parked-bins", parked_bins},
    {"old-free-units", old_free_units},
    {"old-free-slabs", old_free_slabs},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static char* beside[BESIDE];

static void fill_beside(void) {
    for (int i = 0; i < BESIDE; i++) {
        beside[i] = malloc(BESIDE_BYTES);
        if (beside[i] != NULL) continue;
        test_say("longest_call: skipped: no address space for more than %d of %d blocks", i, BESIDE);
        exit(TEST_SKIP);
    }
}

int main(int argc, char** argv) {
    Random random = {1};
    size_t i = 0;
    while (i < SCENARIOS && argc > 1 && strcmp(argv[1], scenarios[i].name) != 0) i++;
    if (argc != 2 || i == SCENARIOS) {
        for (i = 0; i < SCENARIOS; i++) printf("%s\n", scenarios[i].name);
        return argc == 1 ? 0 : 2;
    }
    test_start("longest_call", random.state);
    fill_beside();
    scenarios[i].run(&random);
    test_check_heap();
    test_say("longest_call: ok");
    return 0;
}
#else
int main(void) {
    test_say("longest_call: skipped: built without valgrind/callgrind.h");
    return TEST_SKIP;
}
#endif
