// Idle memory goes back, without a call for it and without a thread. Much is freed at random, then nothing happens for
// a while, then one block of 1 MiB is allocated and freed. By then the thread that freed may sleep, and so may the
// threads that own slabs and caches.
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
#include <string.h>

enum { BLOCKS = 400000, SMALL = 100, OTHER = 700, SLEEPERS = 8, REST_MS = 800 };
#define MIB ((size_t)1 << 20)
#define STAYS (5 * MIB)

static void* blocks[BLOCKS];
static Random random_state;

static void fill(size_t size, size_t count) {
    for (size_t i = 0; i < count; i++) {
        blocks[i] = t_malloc(size);
        CHECK(blocks[i] != NULL, "no memory for block %zu", i);
        memset(blocks[i], 1, size);
    }
}

static void free_at_random(size_t count) {
    for (size_t i = count; i > 0; i--) {
        size_t other = random_below(&random_state, i);
        t_free(blocks[other]);
        blocks[other] = blocks[i - 1];
    }
}

// The program's only call after the idle time.
static size_t rss_after_rest(void) {
    sleep_ms(REST_MS);
    char* block = t_malloc(MIB);
    CHECK(block != NULL, "no memory for 1 MiB");
    *block = 1;
    t_free(block);
    return rss_bytes();
}

static void expect_most(const char* what, size_t before, size_t after, size_t stays) {
    test_say("rest: %s: RSS %zu KiB before, %zu after", what, before >> 10, after >> 10);
    CHECK(!test_is_hakmem() || after <= before + stays, "%s: %zu KiB stay", what, (after - before) >> 10);
    test_check_heap();
}

static void expect_gone(const char* what, size_t before, size_t after) {
    expect_most(what, before, after, STAYS);
}

// Blocks of one size, then of another: the second phase uses the memory of the first, and no cache of the first stays.
static void two_phases(void) {
    size_t before = rss_bytes(), first = BLOCKS * (size_t)SMALL;
    fill(SMALL, BLOCKS);
    size_t full = rss_bytes();
    free_at_random(BLOCKS);
    fill(OTHER, first / OTHER);
    size_t second = rss_bytes();
    CHECK(!test_is_hakmem() || second <= before + (full - before) * 115 / 100,
          "RSS %zu KiB in the second phase, %zu in the first", second >> 10, full >> 10);
    free_at_random(first / OTHER);
    expect_gone("two phases", before, rss_after_rest());
}

static pthread_barrier_t filled, checked;

static void* sleeper(void* count) {
    fill(SMALL, *(size_t*)count);
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&checked);
    return NULL;
}

// The thread that allocated everything sleeps while another frees.
static void owner_sleeps(void) {
    size_t before = rss_bytes(), count = BLOCKS;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleeper, &count) == 0, "pthread_create");
    pthread_barrier_wait(&filled);
    free_at_random(BLOCKS);
    expect_gone("the owner sleeps", before, rss_after_rest());
    pthread_barrier_wait(&checked);
    pthread_join(thread, NULL);
}

static void* busy_then_asleep(void* unused) {
    (void)unused;
    void* own[2000];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 2000; i++) {
            own[i] = t_malloc(200);
            CHECK(own[i] != NULL, "no memory");
            memset(own[i], 1, 200);
        }
        for (int i = 0; i < 2000; i++) t_free(own[i]);
    }
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&checked);
    return NULL;
}

// Threads that have done their work and wait for more: what each keeps is bounded.
static void pool_sleeps(void) {
    size_t before = rss_bytes();
    pthread_t threads[SLEEPERS];
    for (int i = 0; i < SLEEPERS; i++)
        CHECK(pthread_create(&threads[i], NULL, busy_then_asleep, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&filled);
    expect_gone("a pool sleeps", before, rss_after_rest());
    pthread_barrier_wait(&checked);
    for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
}

enum { CLASSES = 4, SLABS = 240, IN_TURN = SLABS * 65536 / 256 };  // of blocks of 192 to 240 bytes

static void* scattered[CLASSES * SLABS];
static size_t scattered_count;

// Frees about one block of each slab, going by its place among the others.
static void scatter(void) {
    size_t taken = 0;
    for (int c = 0; c < CLASSES; c++) {
        uintptr_t last = 0;
        for (int i = 0; i < IN_TURN; i++, taken++) {
            size_t size = 192 + 16 * (size_t)c;
            blocks[taken] = t_malloc(size);
            CHECK(blocks[taken] != NULL, "no memory for block %zu", taken);
            memset(blocks[taken], 1, size);
            if ((uintptr_t)blocks[taken] >> 16 == last || i > IN_TURN - 2000) continue;
            last = (uintptr_t)blocks[taken] >> 16;
            scattered[scattered_count++] = blocks[taken];
            blocks[taken] = NULL;
        }
    }
}

static void* frees_scattered_and_sleeps(void* unused) {
    (void)unused;
    void* own[CLASSES];
    for (int c = 0; c < CLASSES; c++) own[c] = t_malloc(192 + 16 * (size_t)c);  // so that the thread has a use for them
    for (size_t i = 0; i < scattered_count; i++) t_free(scattered[i]);
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&checked);
    for (int c = 0; c < CLASSES; c++) t_free(own[c]);
    return NULL;
}

// A block in a bin pins its slab. So the sleeper's bins must not hold one block of each of many slabs.
static void scattered_freer_sleeps(void) {
    enum { BIN_SLABS = CLASSES * 32, OWN_SLABS = 256 };
    size_t before = rss_bytes();
    pthread_t thread;
    scatter();
    CHECK(pthread_create(&thread, NULL, frees_scattered_and_sleeps, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&filled);
    for (size_t i = 0; i < CLASSES * (size_t)IN_TURN; i++) t_free(blocks[i]);
    expect_most("one who freed here and there sleeps", before, rss_after_rest(),
                STAYS + (BIN_SLABS + OWN_SLABS) * (size_t)65536);
    pthread_barrier_wait(&checked);
    pthread_join(thread, NULL);
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    if (seed == 0) seed = test_random_seed();
    test_start("rest", seed);
    random_state = (Random){seed};
    memset(blocks, 0xff, sizeof blocks);  // resident from the start
    t_free(t_malloc(1));
    two_phases();
    pthread_barrier_init(&filled, NULL, 2);
    pthread_barrier_init(&checked, NULL, 2);
    owner_sleeps();
    scattered_freer_sleeps();
    pthread_barrier_init(&filled, NULL, SLEEPERS + 1);
    pthread_barrier_init(&checked, NULL, SLEEPERS + 1);
    pool_sleeps();
    test_say("rest: ok");
    return 0;
}
