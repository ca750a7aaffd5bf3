// Threads that come and go, and blocks that outlive them or change hands.
//
//   threads create [COUNT]       threads created and ended one after another: memory stays flat
//   threads dead [ROUNDS]        a thread dies with 2000 live blocks, others free them
//   threads keys [COUNT]         pthread_key destructors that allocate and free in every round the C library grants
//   threads pipe [BATCHES]       one thread only allocates, the other only frees
//   threads idle                 a thread frees ten foreign blocks, then sleeps for ever: the owner gets them back
//   threads storm [SECONDS]      64 threads pass blocks around while they begin and end
//   threads parked               what an ended thread had in its bins serves the next one, is bounded, and goes back
//                                if no thread comes
//   threads many [COUNT]         that many threads with a few blocks of many sizes each: little more memory than the
//                                blocks have
//   threads churn [SECONDS]      three threads that stay trade blocks with threads that end: memory stays flat
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

// ---- create ----

static void* short_life(void* argument) {
    unsigned n = (unsigned)(uintptr_t)argument;
    char* blocks[40];
    for (unsigned i = 0; i < 40; i++) {
        size_t size = 16 + (n * 7 + i * 53) % 3000;
        blocks[i] = t_malloc(size);
        memset(blocks[i], (int)i, size);
    }
    if (n % 16 == 0) t_free(t_malloc(300000));
    for (unsigned i = 0; i < 40; i++) {
        CHECK(blocks[i][0] == (char)i, "thread %u lost block %u", n, i);
        t_free(blocks[i]);
    }
    return NULL;
}

static void create(uint64_t count) {
    size_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        pthread_t pair[2] = {test_thread(short_life, (void*)(uintptr_t)i),
                             test_thread(short_life, (void*)(uintptr_t)(i * 3))};
        pthread_join(pair[0], NULL);
        pthread_join(pair[1], NULL);
        if (i == count / 10) before = rss_bytes();
    }
    test_expect_flat(before, MIB, "create");
}

// ---- dead ----

#define LEFT_BEHIND 2000

typedef struct {
    unsigned char* p;
    size_t size;
} Left;

static Left left[LEFT_BEHIND];

static void* leave_blocks(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    for (unsigned i = 0; i < LEFT_BEHIND; i++) {
        left[i].size = 1 + random_below(&random, i % 100 == 0 ? 40000 : 600);
        left[i].p = t_malloc(left[i].size);
        memset(left[i].p, (int)(i & 255), left[i].size);
    }
    return NULL;
}

static void* free_odd(void* argument) {
    (void)argument;
    for (unsigned i = 1; i < LEFT_BEHIND; i += 2) t_free(left[i].p);
    return NULL;
}

static void dead(uint64_t rounds) {
    size_t before = 0, with_reserve = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        pthread_join(test_thread(leave_blocks, (void*)(uintptr_t)(round + 1)), NULL);
        for (unsigned i = 0; i < LEFT_BEHIND; i++)
            for (size_t at = 0; at < left[i].size; at++)
                CHECK(left[i].p[at] == (i & 255), "round %llu, block %u of %zu bytes: byte %zu is %u",
                      (unsigned long long)round, i, left[i].size, at, left[i].p[at]);
        // a second thread, which ends as well, frees half of them
        pthread_join(test_thread(free_odd, NULL), NULL);
        for (unsigned i = 0; i < LEFT_BEHIND; i += 2) t_free(left[i].p);
        if (round == rounds / 2) {
            with_reserve = rss_bytes();
            t_trim(0);
            before = rss_bytes();
        }
    }
    test_expect_flat(with_reserve, 4 * MIB, "dead");
    t_trim(0);  // the amount of free memory goes up and down
    test_expect_flat(before, MIB / 4, "dead, trimmed");
}

// ---- parked ----

enum { PARKED = 8, PARKED_SIZE = 100, FILLERS = 40 };
static char* of_first[PARKED];
static char* of_second[PARKED];
static pthread_key_t late_key;
static char* late_block;

static void* fill_bin(void* argument) {
    char** blocks = argument;
    for (int i = 0; i < PARKED; i++) memset(blocks[i] = t_malloc(PARKED_SIZE), 'b', PARKED_SIZE);
    for (int i = 0; i < PARKED; i++) t_free(blocks[i]);
    return NULL;
}

static int blocks_known_to_second(void) {
    int known = 0;
    for (int i = 0; i < PARKED; i++)
        for (int j = 0; j < PARKED; j++) known += of_second[i] == of_first[j];
    return known;
}

static void let_scan(void) {
    t_free(t_malloc(4 * MIB));
}

// Even if another thread scans in between. But what was parked long ago is no longer there, so this is tried a few
// times.
static void next_thread_has_the_blocks(void) {
    enum { PERIOD_MS = 250, ATTEMPTS = 10 };
    int known = 0;
    for (int i = 0; i < ATTEMPTS && known < PARKED; i++) {
        sleep_ms(PERIOD_MS);
        pthread_join(test_thread(fill_bin, of_first), NULL);
        let_scan();
        test_check_heap();
        pthread_join(test_thread(fill_bin, of_second), NULL);
        known = blocks_known_to_second();
    }
    CHECK(known == PARKED || !test_is_hakmem(), "%d of %d blocks of the second thread are of those that the first left",
          known, PARKED);
}

// In the child of a fork as well.
static void child_has_the_blocks(void) {
    enum { ATTEMPTS = 10 };
    int status = -1;
    for (int i = 0; i < ATTEMPTS && status != 0; i++) {
        pthread_join(test_thread(fill_bin, of_first), NULL);
        pid_t pid = fork();
        CHECK(pid >= 0, "fork");
        if (pid == 0) {
            pthread_join(test_thread(fill_bin, of_second), NULL);
            test_check_heap();
            _exit(blocks_known_to_second() != PARKED);
        }
        CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    }
    CHECK(status == 0 || !test_is_hakmem(), "the child's thread has other blocks, or came to grief: status %#x",
          status);
}

// A thread that frees a block of each of many slabs parks one for each. Later threads, none of which lives long enough
// to scan, must not pass these on for ever.
enum { PINS = 12, PIN_SLABS = 32, PIN_LEAST = 64 };
static char** pinned[PINS];

static size_t pin_size(int i) {
    return PIN_LEAST + 16 * (size_t)i;
}

static size_t pin_slab(int i) {
    return 65536 / pin_size(i);
}

static void* free_one_of_each_slab(void* unused) {
    (void)unused;
    for (int i = 0; i < PINS; i++) {
        char* room[16];
        for (int k = 0; k < 16; k++) room[k] = t_malloc(pin_size(i));
        for (int s = 0; s < PIN_SLABS; s++) {
            t_free(pinned[i][(size_t)s * pin_slab(i)]);
            pinned[i][(size_t)s * pin_slab(i)] = NULL;
        }
        for (int k = 0; k < 16; k++) t_free(room[k]);
    }
    return NULL;
}

static void* malloc_one(void* unused) {
    t_free(t_malloc(3000));
    return unused;
}

// RSS while all blocks were in use.
static size_t pin_slabs(void) {
    for (int i = 0; i < PINS; i++) {
        pinned[i] = t_malloc(PIN_SLABS * pin_slab(i) * sizeof *pinned[i]);
        for (size_t k = 0; k < PIN_SLABS * pin_slab(i); k++)
            memset(pinned[i][k] = t_malloc(pin_size(i)), 1, pin_size(i));
    }
    size_t full = rss_bytes();
    pthread_join(test_thread(free_one_of_each_slab, NULL), NULL);
    for (int i = 0; i < PINS; i++) {
        for (size_t k = 0; k < PIN_SLABS * pin_slab(i); k++) t_free(pinned[i][k]);
        t_free(pinned[i]);
    }
    return full;
}

static void short_threads_carry_none_on(void) {
    t_trim(0);
    size_t before = rss_bytes(), full = pin_slabs();
    for (int i = 0; i < 20; i++) {
        sleep_ms(100);
        pthread_join(test_thread(malloc_one, NULL), NULL);
        let_scan();
    }
    size_t after = rss_bytes();
    test_say("parked: RSS %zu KiB before, %zu full, %zu when short threads have come for 2 s", before >> 10, full >> 10,
             after >> 10);
    CHECK(!test_is_hakmem() || after < before + (full - before) / 2, "the slabs stay pinned");
}

// If the system refuses more memory, slabs that only parked blocks pin are found.
static void none_is_missed_where_memory_ends(void) {
    enum { SIZE = 1000, COUNT = 14000 };
    static void* blocks[COUNT];
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        pin_slabs();
        struct rlimit limit = {mapped_bytes(), mapped_bytes()};
        CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
        for (int i = 0; i < COUNT; i++) CHECK((blocks[i] = t_malloc(SIZE)) != NULL, "no memory for block %d", i);
        for (int i = 0; i < COUNT; i++) t_free(blocks[i]);
        test_check_heap();
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && (status == 0 || !test_is_hakmem()), "wait status %#x", status);
}

// The very first malloc of a thread finds them as well, and does not replace them by a new list.
static void none_are_lost(void) {
    size_t before = 0;
    for (int i = 0; i < 4000; i++) {
        pthread_join(test_thread(fill_bin, of_first), NULL);
        if (i == 100) before = rss_bytes();
    }
    test_expect_flat(before, MIB, "parked");
}

// The last rounds of destructors come after the bins were parked.
static void destroy_late(void* round) {
    if ((uintptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(late_key, (char*)round + 1);
    else
        memset(late_block = t_malloc(PARKED_SIZE), 'l', PARKED_SIZE);
}

static void* fill_bin_and_come_late(void* argument) {
    pthread_setspecific(late_key, (void*)1);
    return fill_bin(argument);
}

static void ended_thread_has_none(void) {
    CHECK(pthread_key_create(&late_key, destroy_late) == 0, "pthread_key_create");
    pthread_join(test_thread(fill_bin_and_come_late, of_first), NULL);
    CHECK(late_block != NULL, "the last destructor did not run");
    pthread_join(test_thread(fill_bin, of_second), NULL);
    for (int i = 0; i < PARKED; i++)
        CHECK(of_second[i] != late_block, "block %p went to a destructor and to the next thread", (void*)late_block);
    for (int i = 0; i < PARKED_SIZE; i++) CHECK(late_block[i] == 'l', "byte %d of the late block was lost", i);
    t_free(late_block);
}

#ifndef TEST_LINKED
static pthread_barrier_t all_filled;

static void* fill_many_bins(void* argument) {
    (void)argument;
    char* blocks[32];
    for (size_t size = 16; size <= 16384; size += size < 1024 ? 16 : 512) {
        for (int i = 0; i < 32; i++) blocks[i] = t_malloc(size);
        for (int i = 0; i < 32; i++) t_free(blocks[i]);
    }
    pthread_barrier_wait(&all_filled);
    return NULL;
}

// Even if threads end together, and no thread comes after them.
static void few_wait_and_not_for_ever(void) {
    enum { REST_MS = 800, CONTROL_BLOCKS = 8, EACH = 256 * 1024, OWN = 64 * 1024 };
    if (!test_is_hakmem()) return;
    pthread_t threads[FILLERS];
    t_trim(0);
    uint64_t before = test_counter("allocated");
    CHECK(pthread_barrier_init(&all_filled, NULL, FILLERS) == 0, "pthread_barrier_init");
    for (int i = 0; i < FILLERS; i++) threads[i] = test_thread(fill_many_bins, NULL);
    for (int i = 0; i < FILLERS; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_filled);
    uint64_t parked = test_counter("allocated");
    sleep_ms(REST_MS);
    let_scan();
    uint64_t rested = test_counter("allocated");
    test_say("parked: %llu bytes in use before, %llu when %d threads have ended, %llu after a rest",
             (unsigned long long)before, (unsigned long long)parked, FILLERS, (unsigned long long)rested);
    CHECK(parked > before + OWN, "nothing is parked: this test sees nothing");
    CHECK(parked <= before + CONTROL_BLOCKS * EACH, "%llu bytes are parked", (unsigned long long)(parked - before));
    CHECK(rested <= before + OWN, "%llu bytes stay parked", (unsigned long long)(rested - before));
    pthread_join(test_thread(fill_bin, of_first), NULL);
    t_trim(0);
    uint64_t trimmed = test_counter("allocated");
    CHECK(trimmed <= rested, "%llu bytes stay parked after a trim", (unsigned long long)(trimmed - rested));
}
#endif

static void run_parked(void) {
    next_thread_has_the_blocks();
    child_has_the_blocks();
    none_is_missed_where_memory_ends();
    short_threads_carry_none_on();
    none_are_lost();
    ended_thread_has_none();
#ifndef TEST_LINKED
    few_wait_and_not_for_ever();
#endif
}

// ---- many ----

enum { FEW_BLOCKS = 200, SIZES_OF_MANY = 10 };
static pthread_barrier_t all_hold;

static void* hold_few(void* unused) {
    char* few[FEW_BLOCKS];
    for (unsigned i = 0; i < FEW_BLOCKS; i++) {
        size_t size = (size_t)16 << (i % SIZES_OF_MANY);
        memset(few[i] = t_malloc(size), 'f', size);
    }
    pthread_barrier_wait(&all_hold);  // measured now
    pthread_barrier_wait(&all_hold);
    for (unsigned i = 0; i < FEW_BLOCKS; i++) t_free(few[i]);
    return unused;
}

// Huge pages, which the library asks for in a large heap, would make the rest of each thread's slabs resident.
static void many(uint64_t count) {
    size_t before = rss_bytes(), asked = count * (FEW_BLOCKS / SIZES_OF_MANY) * 16 * ((1 << SIZES_OF_MANY) - 1);
    CHECK(pthread_barrier_init(&all_hold, NULL, (unsigned)count + 1) == 0, "pthread_barrier_init");
    pthread_t* threads = t_malloc(count * sizeof *threads);
    for (uint64_t i = 0; i < count; i++) threads[i] = test_thread(hold_few, NULL);
    pthread_barrier_wait(&all_hold);
    size_t held = rss_bytes() - before;
    pthread_barrier_wait(&all_hold);
    for (uint64_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
    t_free(threads);
    test_say("many: %zu KiB in blocks, RSS grew by %zu KiB", asked >> 10, held >> 10);
    CHECK(!test_is_hakmem() || held < asked + asked / 2, "threads with a few blocks each hold half as much again");
}

// ---- keys ----

enum { KEYS = 3 };
static pthread_key_t keys[KEYS];
static _Atomic unsigned destructor_calls;
static _Atomic unsigned last_rounds;

typedef struct {
    unsigned key;
    unsigned rounds;
    char* block;
} KeyValue;

static void destroy_value(void* argument) {
    KeyValue* value = argument;
    atomic_fetch_add(&destructor_calls, 1);
    CHECK(value->block[0] == 'k', "the block of key %u was overwritten", value->key);
    t_free(value->block);
    unsigned key = value->key;
    unsigned rounds = value->rounds + 1;
    t_free(value);
    char* scratch[50];
    for (unsigned i = 0; i < 50; i++) scratch[i] = t_calloc(1, 24 + i * 31);
    for (unsigned i = 0; i < 50; i++) t_free(scratch[i]);
    if (rounds >= PTHREAD_DESTRUCTOR_ITERATIONS) {
        atomic_fetch_add(&last_rounds, 1);
        return;
    }
    value = t_malloc(sizeof *value);
    *value = (KeyValue){key, rounds, t_malloc(200)};
    value->block[0] = 'k';
    pthread_setspecific(keys[key], value);
}

static void* use_keys(void* argument) {
    (void)argument;
    for (unsigned k = 0; k < KEYS; k++) {
        KeyValue* value = t_malloc(sizeof *value);
        *value = (KeyValue){k, 0, t_malloc(100)};
        value->block[0] = 'k';
        pthread_setspecific(keys[k], value);
    }
    return NULL;
}

static void run_keys(uint64_t count) {
    // glibc allocates second-level tables for keys from 32 on: the last key is one of these
    pthread_key_t unused;
    for (unsigned k = 0; k < KEYS; k++) {
        if (k == KEYS - 1)
            for (unsigned i = 0; i < 40; i++) pthread_key_create(&unused, NULL);
        CHECK(pthread_key_create(&keys[k], destroy_value) == 0, "pthread_key_create");
    }
    size_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        pthread_join(test_thread(use_keys, NULL), NULL);
        if (i == count / 10) before = rss_bytes();
    }
    CHECK(destructor_calls == count * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS, "%u destructor calls in %llu threads",
          (unsigned)destructor_calls, (unsigned long long)count);
    CHECK(last_rounds == count * KEYS, "%u", (unsigned)last_rounds);
    test_expect_flat(before, MIB, "keys");
}

// ---- pipe ----

enum { BATCH = 1000, QUEUE = 8, PIPE_BLOCK = 64 };
static char* batches[QUEUE][BATCH];
static sem_t full, empty;

static void wait_for(sem_t* semaphore) {
    while (sem_wait(semaphore) != 0) CHECK(errno == EINTR, "sem_wait");
}

static void* only_free(void* argument) {
    uint64_t count = *(uint64_t*)argument;
    for (uint64_t n = 0; n < count; n++) {
        wait_for(&full);
        char** batch = batches[n % QUEUE];
        for (unsigned i = 0; i < BATCH; i++) {
            CHECK(batch[i][0] == (char)i && batch[i][PIPE_BLOCK - 1] == (char)n, "batch %llu, block %u",
                  (unsigned long long)n, i);
            t_free(batch[i]);
        }
        sem_post(&empty);
    }
    return NULL;
}

static void run_pipe(uint64_t count) {
    CHECK(sem_init(&full, 0, 0) == 0 && sem_init(&empty, 0, QUEUE) == 0, "sem_init");
    size_t before = rss_bytes();
    size_t live = (size_t)QUEUE * BATCH * PIPE_BLOCK;
    pthread_t consumer = test_thread(only_free, &count);
    for (uint64_t n = 0; n < count; n++) {
        wait_for(&empty);
        for (unsigned i = 0; i < BATCH; i++) {
            char* p = t_malloc(PIPE_BLOCK);
            p[0] = (char)i;
            p[PIPE_BLOCK - 1] = (char)n;
            batches[n % QUEUE][i] = p;
        }
        sem_post(&full);
    }
    pthread_join(consumer, NULL);
    test_expect_flat(before, 4 * live + 2 * MIB, "pipe");
}

// ---- idle ----

static sem_t freed, never;
static char* given[10];

static void* free_ten_and_sleep(void* argument) {
    (void)argument;
    // a cached thread: it has allocated itself, so it batches remote frees
    t_free(t_malloc(64));
    for (int i = 0; i < 10; i++) t_free(given[i]);
    sem_post(&freed);
    wait_for(&never);
    return NULL;
}

static void idle(void) {
    // `STREAMS` sleepers with ten blocks of 16 KB each, the longest of a class, which a bundle could hold: memory
    // must not grow with their number more than by what they may park.
    enum { STREAMS = 100, SIZE = 16000 };
    CHECK(sem_init(&freed, 0, 0) == 0 && sem_init(&never, 0, 0) == 0, "sem_init");
    size_t before = 0;
    for (int n = 0; n < STREAMS; n++) {
        for (int i = 0; i < 10; i++) {
            given[i] = t_malloc(SIZE);
            memset(given[i], 1, SIZE);
        }
        pthread_detach(test_thread(free_ten_and_sleep, NULL));
        wait_for(&freed);
        if (n == STREAMS / 10) before = rss_bytes();
    }
    // a stack and a control block for each sleeper; all blocks together would be 14 MiB
    test_expect_flat(before, STREAMS * (size_t)40000 + 2 * MIB, "idle");
}

// ---- runs ----

// Page runs of one thread that another frees, the oldest first, come home however many SuperSlabs are in flight. Only a
// page or two of each run is touched, but the mapped address space shows it.
enum { RUNS_IN_FLIGHT = 6000, RUN_SIZE = 100 << 10 };
static char* runs[RUNS_IN_FLIGHT];
static sem_t made, used_up;

static void* free_runs(void* rounds) {
    for (unsigned long i = 0; i < (unsigned long)(uintptr_t)rounds * RUNS_IN_FLIGHT; i++) {
        wait_for(&made);
        t_free(runs[i % RUNS_IN_FLIGHT]);
        sem_post(&used_up);
    }
    return NULL;
}

static void runs_come_home(unsigned long rounds) {
    CHECK(sem_init(&made, 0, 0) == 0 && sem_init(&used_up, 0, RUNS_IN_FLIGHT) == 0, "sem_init");
    pthread_t consumer = test_thread(free_runs, (void*)(uintptr_t)rounds);
    // It starts when all are in flight, and frees one for each that is made.
    size_t mapped = 0;
    for (unsigned long i = 0; i < rounds * RUNS_IN_FLIGHT; i++) {
        wait_for(&used_up);
        char* run = t_malloc(RUN_SIZE);
        CHECK(run != NULL, "no memory");
        *run = 1;
        runs[i % RUNS_IN_FLIGHT] = run;
        if (i + 1 == RUNS_IN_FLIGHT) mapped = mapped_bytes();
        if (i + 1 >= RUNS_IN_FLIGHT) sem_post(&made);
    }
    size_t after = mapped_bytes();
    test_say("runs: %zu MiB mapped with all in flight, %zu after %lu rounds", mapped >> 20, after >> 20, rounds);
    CHECK(!test_is_hakmem() || after < mapped + mapped / 2, "mapped memory grew from %zu to %zu MiB", mapped >> 20,
          after >> 20);
    for (int i = 1; i < RUNS_IN_FLIGHT; i++) sem_post(&made);
    pthread_join(consumer, NULL);
}

// ---- scans ----

// A thread's scan gives up slabs, and others adopt them at once, even the one into which the scanning thread is about
// to free. That happens only about once in fifty rounds.
enum { ADOPTERS = 3, KEPT = 300000, OTHER_SIZES = 24, OTHER_BLOCKS = 600, REST_MS = 900 };
static void* kept[KEPT];
static void* others[OTHER_SIZES][OTHER_BLOCKS];
static _Atomic bool scans_over, adopting;

static void* adopt_and_leak(void* unused) {
    (void)unused;
    while (!atomic_load(&scans_over))
        for (int i = 0; atomic_load(&adopting) && i < 64; i++) CHECK(t_malloc(64) != NULL, "no memory");
    return NULL;
}

static void free_some(Random* random, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t at = random_below(random, KEPT);
        t_free(kept[at]);
        kept[at] = NULL;
    }
}

static void looks(unsigned long rounds) {
    pthread_t threads[ADOPTERS];
    Random random = {rounds};
    for (int i = 0; i < ADOPTERS; i++) threads[i] = test_thread(adopt_and_leak, NULL);
    for (unsigned long round = 0; round < rounds; round++) {
        for (int i = 0; i < KEPT; i++)
            if (kept[i] == NULL) kept[i] = t_malloc(64);
        for (int s = 0; s < OTHER_SIZES; s++)
            for (int i = 0; i < OTHER_BLOCKS; i++) others[s][i] = t_malloc(80 + (size_t)s * 40);
        for (int s = 0; s < OTHER_SIZES; s++)
            for (int i = 0; i < OTHER_BLOCKS; i++) t_free(others[s][i]);
        free_some(&random, 20000);
        // what the scan gives back after the idle time; that takes it a while
        char* large = t_malloc(100 * MIB);
        CHECK(large != NULL, "no memory");
        memset(large, 1, 100 * MIB);
        t_free(large);
        sleep_ms(REST_MS);
        atomic_store(&adopting, true);
        sleep_ms(1);
        free_some(&random, 30000);
        atomic_store(&adopting, false);
    }
    atomic_store(&scans_over, true);
    for (int i = 0; i < ADOPTERS; i++) pthread_join(threads[i], NULL);
}

// ---- storm ----

enum { STORM_THREADS = 64, SLOTS = 4096 };
static _Atomic(uint64_t*) slots[SLOTS];
static _Atomic bool storm_over;

static void drop(uint64_t* p) {
    if (p == NULL) return;
    size_t words = p[0] & 0xffff;
    for (size_t i = 1; i < words; i++)
        CHECK(p[i] == p[0] + i, "block %p of %zu words: word %zu is %#llx", (void*)p, words, i,
              (unsigned long long)p[i]);
    t_free(p);
}

static void replace_one(Random* random, bool large) {
    size_t words = 2 + random_below(random, large ? 5000 : 60);
    uint64_t* p = t_malloc(words * sizeof *p);
    p[0] = (random_next(random) & ~UINT64_C(0xffff)) | words;
    for (size_t w = 1; w < words; w++) p[w] = p[0] + w;
    drop(atomic_exchange(&slots[random_below(random, SLOTS)], p));
}

static void* hand_around(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    for (int i = 0; i < 3000 && !atomic_load(&storm_over); i++) replace_one(&random, i % 500 == 0);
    return NULL;
}

static void* hand_around_for_ever(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    for (unsigned i = 0; !atomic_load(&storm_over); i++) replace_one(&random, i % 500 == 0);
    return NULL;
}

static void empty_slots(void) {
    for (int i = 0; i < SLOTS; i++) drop(atomic_exchange(&slots[i], NULL));
}

static void storm(uint64_t seconds) {
    pthread_t threads[STORM_THREADS];
    uint64_t born = 0;
    for (int i = 0; i < STORM_THREADS; i++) threads[i] = test_thread(hand_around, (void*)(uintptr_t)++born);
    double end = now_seconds() + (double)seconds;
    while (now_seconds() < end)
        for (int i = 0; i < STORM_THREADS; i++) {
            pthread_join(threads[i], NULL);
            threads[i] = test_thread(hand_around, (void*)(uintptr_t)++born);
        }
    atomic_store(&storm_over, true);
    for (int i = 0; i < STORM_THREADS; i++) pthread_join(threads[i], NULL);
    empty_slots();
    test_say("storm: %llu threads", (unsigned long long)born);
}

static void churn(uint64_t seconds) {
    enum { LASTING = 3 };
    pthread_t lasting[LASTING];
    uintptr_t born = 0;
    for (int i = 0; i < LASTING; i++) lasting[i] = test_thread(hand_around_for_ever, (void*)++born);
    double begin = now_seconds(), end = begin + (double)seconds;
    size_t before = 0;
    while (now_seconds() < end) {
        pthread_join(test_thread(hand_around, (void*)++born), NULL);
        // First the threads that stay come to own their share of slabs; from then on nothing may be added.
        if (before == 0 && now_seconds() > begin + (double)seconds / 2) before = rss_bytes();
    }
    // What each of these threads keeps varies by some megabytes with the order of events; a leak would be far larger.
    test_expect_flat(before, 16 * MIB, "churn");
    atomic_store(&storm_over, true);
    for (int i = 0; i < LASTING; i++) pthread_join(lasting[i], NULL);
    empty_slots();
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    uint64_t n = test_argument(argc, argv, 2, 0);
    test_start("threads", 0);
    if (strcmp(mode, "create") == 0)
        create(n ? n : 10000);
    else if (strcmp(mode, "dead") == 0)
        dead(n ? n : 4000);
    else if (strcmp(mode, "parked") == 0)
        run_parked();
    else if (strcmp(mode, "many") == 0)
        many(n ? n : 250);
    else if (strcmp(mode, "keys") == 0)
        run_keys(n ? n : 2000);
    else if (strcmp(mode, "pipe") == 0)
        run_pipe(n ? n : 3000);
    else if (strcmp(mode, "idle") == 0)
        idle();
    else if (strcmp(mode, "runs") == 0)
        runs_come_home(n ? n : 5);
    else if (strcmp(mode, "looks") == 0)
        looks(n ? n : 5);
    else if (strcmp(mode, "storm") == 0)
        storm(n ? n : 5);
    else if (strcmp(mode, "churn") == 0)
        churn(n ? n : 4);
    else
        CHECK(false, "mode \"%s\": choose create, dead, parked, many, keys, pipe, idle, runs, looks, storm or churn",
              mode);
    test_check_heap();
    test_say("threads %s: ok", mode);
    return 0;
}
