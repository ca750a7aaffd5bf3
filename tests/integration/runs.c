// The run cache of a thread. It keeps no more than one idle SuperSlab, and serves other lengths before the heap grows.
// The last few long runs are handed out again, and calloc clears them. A double free of one is reported. One run for
// each of many threads is no reason for huge pages. calloc touches no memory that reads as zero.
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 1000, LEAST = 17 << 10, MOST = 64 << 10, LONG = 300000, THREADS = 100 };
#define MIB ((size_t)1 << 20)

static uint64_t superslabs(void) {
    return test_counter("superslab_made") - test_counter("superslab_released");
}

static void nothing_is_kept(Random* random) {
    static char* blocks[BLOCKS];
    uint64_t before = superslabs();
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = LEAST + random_below(random, MOST - LEAST);
        blocks[i] = t_malloc(size);
        memset(blocks[i], 1, size);
    }
    uint64_t full = superslabs();
    for (size_t left = BLOCKS; left > 0; left--) {
        size_t other = random_below(random, left);
        t_free(blocks[other]);
        blocks[other] = blocks[left - 1];
    }
    uint64_t after = superslabs();
    test_say("%llu SuperSlabs before, %llu with %d blocks, %llu when all are free", (unsigned long long)before,
             (unsigned long long)full, BLOCKS, (unsigned long long)after);
    CHECK(full >= before + 10, "too few to tell");
    CHECK(after <= before + 1, "%d free blocks keep %llu SuperSlabs", BLOCKS, (unsigned long long)(after - before));
    test_check_heap();
}

// In each of a few SuperSlabs, one block in the middle is cached. All others are freed directly, because the cache is
// full of their length by then.
static void idle_ones_without_half_free(void) {
    enum { SUPERSLABS = 12, EACH = 51, SIZE = 40 << 10, ALL = (SUPERSLABS + 1) * EACH, MIDDLE = EACH / 2 };
    static char* blocks[ALL];
    t_trim(0);  // empties the cache
    uint64_t before = superslabs();
    for (int i = 0; i < ALL; i++) blocks[i] = t_malloc(SIZE);
    for (int i = MIDDLE; i < SUPERSLABS * EACH; i += EACH) {
        t_free(blocks[i]);
        blocks[i] = NULL;
    }
    for (int i = 0; i < ALL; i++) t_free(blocks[i]);
    uint64_t after = superslabs();
    CHECK(after <= before + 1, "free blocks keep %llu SuperSlabs", (unsigned long long)(after - before));
    test_check_heap();
}

// A block of another length fits the pages of a cached one.
static void waiting_serves_others(void) {
    t_trim(0);
    void *first = t_malloc(MIB), *second = t_malloc(MIB);
    t_free(first);
    uint64_t made = test_counter("superslab_made");
    void* other = t_malloc(MIB - 100000);
    CHECK(test_counter("superslab_made") == made, "the heap grew, although a block of 1 MiB was free");
    t_free(other);
    t_free(second);
}

// A short cached run serves its own length and the next shorter one, whole.
static void waiting_serves_the_next_length(void) {
    enum { PAGE = 4096, SHORTER = 8 * PAGE, NEXT = 10 * PAGE, OWN = 12 * PAGE };
    t_trim(0);
    char* first = t_malloc(OWN);
    memset(first, 1, OWN);
    t_free(first);
    void* shorter = t_malloc(SHORTER);
    CHECK(shorter != first, "a run of %d bytes serves %d", OWN, SHORTER);
    char* next = t_calloc(1, NEXT);
    CHECK(next == first, "%p waits and would fit, %p was searched", (void*)first, (void*)next);
    CHECK(t_usable_size(next) == OWN, "%zu bytes of %d", t_usable_size(next), OWN);
    for (int i = 0; i < NEXT; i++) CHECK(next[i] == 0, "byte %d of calloc is %d", i, next[i]);
    CHECK(t_realloc(next, NEXT) == next && t_usable_size(next) == OWN, "cut by a realloc to its own size");
    t_free(next);
    t_free(shorter);
    CHECK(t_malloc(OWN) == next, "it waits for another length now");
    t_free(next);
    test_check_heap();
}

// All of a SuperSlab is cached in short runs; a long run comes and goes.
static void idle_one_serves_long_ones(void) {
    enum { EACH = 10, LENGTHS = 4 };
    const size_t sizes[LENGTHS] = {64 << 10, 56 << 10, 48 << 10, 40 << 10};
    void* blocks[LENGTHS][EACH];
    t_trim(0);
    for (int i = 0; i < LENGTHS * EACH; i++) blocks[i % LENGTHS][i / LENGTHS] = t_malloc(sizes[i % LENGTHS]);
    for (int i = 0; i < LENGTHS * EACH; i++) t_free(blocks[i % LENGTHS][i / LENGTHS]);
    uint64_t made = test_counter("superslab_made");
    for (int i = 0; i < 1000; i++) t_free(t_malloc(100000));
    CHECK(test_counter("superslab_made") <= made + 1, "%llu SuperSlabs made beside an idle one",
          (unsigned long long)(test_counter("superslab_made") - made));
}

// Beside a full SuperSlab, one block comes and goes: its SuperSlab stays.
static void one_comes_and_goes(size_t size) {
    char* full[2048];
    int count = 0;
    uint64_t made = test_counter("superslab_made");
    while (test_counter("superslab_made") < made + 3 && count < 2048) full[count++] = t_malloc(size);
    made = test_counter("superslab_made");
    for (int i = 0; i < 1000; i++) {
        full[count - 1][0] = 1;
        t_free(full[count - 1]);
        full[count - 1] = t_malloc(size);
    }
    uint64_t again = test_counter("superslab_made") - made;
    CHECK(again <= 1, "%zu bytes: %llu SuperSlabs made", size, (unsigned long long)again);
    for (int i = 0; i < count; i++) t_free(full[i]);
}

// Best fit would give the lower one.
static void last_freed_comes_first(void) {
    t_trim(0);
    char *low = t_malloc(LONG), *high = t_malloc(LONG);
    CHECK(low < high, "the second block of %d bytes lies below the first", LONG);
    t_free(low);
    t_free(high);
    char* again = t_malloc(LONG);
    CHECK(again == high, "%p came, not %p, which was freed last", (void*)again, (void*)high);
    t_free(again);
}

// The shortest free run that holds the block, whichever was freed last.
static void tightest_one_serves(bool tight_last) {
    enum { BEHIND = 70000 };
    t_trim(0);
    char *tight = t_malloc(LONG), *behind_tight = t_malloc(BEHIND);
    char *loose = t_malloc(2 * LONG), *behind_loose = t_malloc(BEHIND);
    t_free(tight_last ? loose : tight);
    t_trim(0);  // out of the run cache
    t_free(tight_last ? tight : loose);
    t_trim(0);
    char* again = t_malloc(LONG - LONG / 10);
    CHECK(again == tight, "%p came, not %p, where the shortest run is", (void*)again, (void*)tight);
    t_free(again);
    t_free(behind_tight);
    t_free(behind_loose);
}

static bool always_huge_pages(void) {
    char text[64] = "";
    FILE* file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (file == NULL) return false;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return read && strstr(text, "[always]") != NULL;
}

enum { PUSHED = 200 };
static void* pushed[PUSHED];

static void* free_pushed(void* unused) {
    for (int i = 0; i < PUSHED; i++) t_free(pushed[i]);
    return unused;
}

// What another thread freed is found even if the cache serves every request.
static void pushed_ones_are_found(void) {
    pthread_t thread;
    t_trim(0);
    uint64_t before = superslabs();
    for (int i = 0; i < PUSHED; i++) pushed[i] = t_malloc(500000);
    uint64_t full = superslabs();
    CHECK(pthread_create(&thread, NULL, free_pushed, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
    for (int i = 0; i < PUSHED; i++) t_free(t_malloc(LONG));
    uint64_t after = superslabs();
    CHECK(full >= before + 40 && after <= before + 2, "%llu SuperSlabs before, %llu full, %llu after",
          (unsigned long long)before, (unsigned long long)full, (unsigned long long)after);
}

static pthread_barrier_t filled, measured;

static void* one_run(void* unused) {
    (void)unused;
    char* block = t_malloc(10000);
    CHECK(block != NULL, "no memory");
    block[0] = 1;
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&measured);
    t_free(block);
    return NULL;
}

static void many_threads_are_small(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&filled, NULL, THREADS + 1);
    pthread_barrier_init(&measured, NULL, THREADS + 1);
    t_trim(0);
    size_t before = rss_bytes();
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, one_run, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&filled);
    size_t with = rss_bytes();
    pthread_barrier_wait(&measured);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    test_say("%d threads with a block of 10000 bytes each: %zu KiB", THREADS, (with - before) >> 10);
    CHECK(with < before + 32 * MIB || always_huge_pages(), "%d threads with a block of 10000 bytes each have %zu KiB",
          THREADS, (with - before) >> 10);
}

// As many lengths at once as are kept, then more; all of them again and again.
static void long_ones_again(void) {
    enum { MORE = 7, ROUNDS = 50 };
    char* blocks[MORE];
    for (int count = 1; count <= MORE; count++) {
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < count; i++) {
                size_t size = (size_t)(100000 + 20000 * i);
                blocks[i] = round % 2 ? t_calloc(1, size) : t_malloc(size);
                CHECK(blocks[i] != NULL, "no memory");
                for (size_t at = 0; round % 2 && at < size; at++) CHECK(blocks[i][at] == 0, "byte %zu is not 0", at);
                memset(blocks[i], round + 1, size);
            }
            for (int i = 0; i < count; i++) {
                size_t last = (size_t)(100000 + 20000 * i) - 1;
                CHECK(blocks[i][0] == round + 1 && blocks[i][last] == round + 1, "block %d was written to", i);
                t_free(blocks[i]);
            }
        }
        test_check_heap();
    }
}

// Of fresh memory that is known to be zero, only the pages that the program writes are touched. The runs are few, so
// that they give no reason for huge pages, unless the system has them everywhere.
static void cleared_ones_touch_little(size_t size) {
    enum { FEW = 700 };
    static char* blocks[FEW];
    t_trim(0);
    size_t before = rss_bytes();
    for (int i = 0; i < FEW; i++) {
        blocks[i] = t_calloc(1, size);
        blocks[i][0] = 1;
    }
    size_t after = rss_bytes();
    for (int i = 0; i < FEW; i++) {
        for (size_t at = 1; at < size; at++)
            CHECK(blocks[i][at] == 0, "byte %zu of %zu is %d", at, size, blocks[i][at]);
        t_free(blocks[i]);
    }
    CHECK(after < before + FEW * size / 2 || always_huge_pages(),
          "%d blocks of %zu bytes, one byte of each written, take %zu KiB", FEW, size, (after - before) >> 10);
}

static void* volatile again;  // keeps the compiler from removing the fault

// A double free, at once, and after `others` more blocks have been freed.
static void expect_told(int others) {
    const struct rlimit none = {0, 0};
    int status;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &none);
        again = t_malloc(LONG);
        t_free(again);
        for (int i = 0; i < others; i++) t_free(t_malloc((size_t)(LONG / 2 + i * 10000)));
        t_free(again);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "a double free went unnoticed: status %d", status);
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    if (seed == 0) seed = test_random_seed();
    test_start("runs", seed);
    Random random = {seed};
    many_threads_are_small();
    nothing_is_kept(&random);
    idle_ones_without_half_free();
    waiting_serves_others();
    waiting_serves_the_next_length();
    idle_one_serves_long_ones();
    one_comes_and_goes(20000);
    one_comes_and_goes(LONG);
    last_freed_comes_first();
    tightest_one_serves(false);
    tightest_one_serves(true);
    pushed_ones_are_found();
    long_ones_again();
    cleared_ones_touch_little(13000);
    cleared_ones_touch_little(20000);
    expect_told(0);
    expect_told(10);
    test_say("runs: ok");
    return 0;
}
