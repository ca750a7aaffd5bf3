// Locked memory. A page that the program locked and forgot must not keep other free memory resident. A program that has
// locked all that it will ever map (mlockall) has little more resident than it uses.
//
//   locked freed       pages of small blocks, of a run of pages and of huge blocks are locked, and everything is freed
//   locked future|onfault THREADS
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static void skip(const char* why) {
    test_say("locked: skipped: %s", why);
    exit(TEST_SKIP);
}

static char* filled(size_t size) {
    char* p = t_malloc(size);
    CHECK(p != NULL, "no memory for %zu bytes", size);
    memset(p, 7, size);
    return p;
}

static void expect_zeros(size_t size, int blocks) {
    for (int i = 0; i < blocks; i++) {
        char* p = t_calloc(1, size);
        CHECK(p != NULL, "no memory for %zu bytes", size);
        for (size_t at = 0; at < size; at++) CHECK(p[at] == 0, "calloc(%zu): byte %zu is %d", size, at, p[at]);
        memset(p, 7, size);
        t_free(p);
    }
}

// --- memory freed while a page of it is locked

enum { SMALL = 60000, RUNS = 600, HUGE = 40 };
static char *small[SMALL], *run[RUNS], *huge[HUGE];
static const size_t small_size = 2000, run_size = 200000, huge_size = 4 << 20;

static void lock(char* p, size_t bytes) {
    if (mlock(p, bytes) != 0) skip("this process may lock no memory");
}

static void use_a_little(void) {
    for (int i = 0; i < 20; i++) {
        sleep_ms(40);
        t_free(filled(300000));
        t_free(filled(3 * MIB));
        for (int k = 0; k < 200; k++) t_free(filled(2000));
    }
}

static void freed(void) {
    size_t before = rss_bytes();
    for (int i = 0; i < SMALL; i++) small[i] = filled(small_size);
    for (int i = 0; i < RUNS; i++) run[i] = filled(run_size);
    for (int i = 0; i < HUGE; i++) huge[i] = filled(huge_size);
    for (int i = 0; i < SMALL; i += SMALL / 20) lock(small[i], small_size);
    for (int i = 0; i < RUNS; i += RUNS / 10) lock(run[i], 1);
    for (int i = 0; i < HUGE; i += HUGE / 4) lock(huge[i] + huge_size / 2, 1);
    size_t full = rss_bytes();
    // a tenth of the small blocks stays, so that their SuperSlabs stay
    for (int i = 0; i < SMALL; i++)
        if (i % 600 >= 60) t_free(small[i]);
    for (int i = 0; i < RUNS; i++) t_free(run[i]);
    for (int i = 0; i < HUGE; i++) t_free(huge[i]);
    use_a_little();
    size_t rested = rss_bytes();
    t_trim(0);
    size_t trimmed = rss_bytes();
    test_say("locked: %zu KiB before, %zu full, %zu after some rest, %zu trimmed", before >> 10, full >> 10,
             rested >> 10, trimmed >> 10);
    size_t kept = before + SMALL / 10 * small_size;
    CHECK(rested < kept + 24 * MIB, "%zu KiB stay with a little use", (rested - kept) >> 10);
    CHECK(trimmed < kept + 12 * MIB, "%zu KiB stay after malloc_trim", (trimmed - kept) >> 10);
    expect_zeros(2000, 20000);
    expect_zeros(run_size, 40);
    expect_zeros(huge_size, 8);
}

// --- memory mapped after mlockall

enum { THREADS_MOST = 32, BLOCKS = 3000 };
typedef struct {
    size_t least, most;
    int count;
} Kind;
static const Kind kinds[] = {{16, 256, 3000}, {256, 4096, 800}, {20000, 100000, 30}, {MIB + 1, 3 * MIB, 3}};

typedef struct {
    char* blocks[sizeof kinds / sizeof *kinds][BLOCKS];
    size_t bytes;
    uint64_t seed;
    pthread_t thread;
} Share;
static Share shares[THREADS_MOST];
static pthread_barrier_t all_hold, all_may_go;

static void hold(Share* share, size_t kind) {
    Random random = {share->seed + kind};
    for (int i = 0; i < kinds[kind].count; i++) {
        size_t size = kinds[kind].least + random_below(&random, kinds[kind].most - kinds[kind].least);
        share->blocks[kind][i] = filled(size);
        share->bytes += size;
    }
}

static void drop(Share* share) {
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (int i = 0; i < kinds[kind].count; i++) t_free(share->blocks[kind][i]);
}

static void* work(void* argument) {
    Share* share = argument;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) hold(share, kind);
    pthread_barrier_wait(&all_hold);
    pthread_barrier_wait(&all_may_go);
    drop(share);
    return NULL;
}

static void start_threads(uint64_t threads) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_barrier_init(&all_hold, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&all_may_go, NULL, (unsigned)threads + 1);
    for (uint64_t i = 0; i < threads; i++) {
        shares[i].seed = i * 100;
        CHECK(pthread_create(&shares[i].thread, &attributes, work, &shares[i]) == 0, "pthread_create");
    }
}

static void lock_all(int flags) {
    if (mlockall(flags) != 0) skip("this process may not lock all of its memory");
}

static void future(int flags, uint64_t threads) {
    memset(shares, 1, sizeof shares);
    memset(shares, 0, sizeof shares);
    lock_all(flags);
    size_t before = rss_bytes();
    start_threads(threads);
    pthread_barrier_wait(&all_hold);
    size_t full = rss_bytes(), used = 0;
    for (uint64_t i = 0; i < threads; i++) used += shares[i].bytes + (140 << 10);
    pthread_barrier_wait(&all_may_go);
    for (uint64_t i = 0; i < threads; i++) pthread_join(shares[i].thread, NULL);
    t_trim(0);
    size_t after = rss_bytes();
    test_say("locked: %zu KiB before, %zu of blocks, %zu resident with them, %zu freed and trimmed", before >> 10,
             used >> 10, full >> 10, after >> 10);
    CHECK(full >= before + used * 9 / 10, "not even the blocks are resident");
    CHECK(full < before + used * 11 / 10 + 4 * MIB, "%zu KiB more than used", (full - before - used) >> 10);
    CHECK(after < before + 6 * MIB + (threads << 17), "%zu KiB stay", (after - before) >> 10);
    expect_zeros(2000, 2000);
    expect_zeros(huge_size, 8);
    CHECK(munlockall() == 0, "munlockall");
    for (int i = 0; i < HUGE; i++) huge[i] = t_malloc(huge_size);
    CHECK(rss_bytes() < after + 20 * MIB, "what is mapped after munlockall is resident");
    for (int i = 0; i < HUGE; i++) t_free(huge[i]);
}

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "freed";
    uint64_t threads = test_argument(argc, argv, 2, 1);
    test_start("locked", 0);
    if (strcmp(what, "freed") == 0)
        freed();
    else
        future(MCL_FUTURE | (strcmp(what, "onfault") == 0 ? MCL_ONFAULT : 0), threads);
    test_check_heap();
    test_say("locked: ok");
    return 0;
}
