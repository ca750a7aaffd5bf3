// How threads end: with every key of the process taken, with destructors that allocate, cancelled, or by the thousand.
// What they had is used again, and memory stays flat.
//
//   thread_ends keys_taken [COUNT]   the program has taken all thread keys before it starts a thread
//   thread_ends rounds [COUNT]       the first malloc of a thread comes in the first, second or third round of its
//                                    destructors, and more in each later one
//   thread_ends cancelled [COUNT]    cancelled while they allocate, and pthread_exit while a cancellation waits
//   thread_ends crowd [COUNT]        never more than 200 alive
#include "support/family.h"
#include "support/test.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 60, ROUNDS_SERVED = 3 };
#define MIB ((size_t)1 << 20)

static void use_many(unsigned count, size_t size) {
    char* blocks[1000];
    for (unsigned i = 0; i < count; i++) memset(blocks[i] = t_malloc(size), (int)i, size);
    for (unsigned i = 0; i < count; i++) {
        CHECK(blocks[i][size - 1] == (char)i, "block %u is damaged", i);
        t_free(blocks[i]);
    }
}

// --- keys_taken

enum { KEYS_MOST = PTHREAD_KEYS_MAX + 1 };
static pthread_key_t keys[KEYS_MOST];
static int key_count;

static void* use_keys_and_blocks(void* unused) {
    for (int i = 0; i < key_count; i += 50) pthread_setspecific(keys[i], (void*)1);
    use_many(1000, 1000);
    return unused;
}

static void keys_taken(uint64_t count) {
    while (key_count < KEYS_MOST && pthread_key_create(&keys[key_count], NULL) == 0) key_count++;
    CHECK(key_count < KEYS_MOST, "the system has more than %d keys", KEYS_MOST);
    size_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        pthread_join(test_thread(use_keys_and_blocks, NULL), NULL);
        if (i == 20) before = rss_bytes();
    }
    test_expect_flat(before, 2 * MIB, "keys_taken");
}

// --- rounds

static pthread_key_t round_key;
static _Atomic unsigned last_rounds;

typedef struct {
    unsigned round, first;
} Rounds;  // fits a word, so nothing is allocated for it

static void* pack(Rounds r) {
    return (void*)(uintptr_t)(r.round * 16 + r.first);
}

static void in_a_round(void* value) {
    Rounds r = {(unsigned)((uintptr_t)value / 16), (unsigned)((uintptr_t)value % 16)};
    if (r.round >= r.first) use_many(200, 300);
    if (r.round == PTHREAD_DESTRUCTOR_ITERATIONS) {
        atomic_fetch_add(&last_rounds, 1);
        return;
    }
    r.round++;
    pthread_setspecific(round_key, pack(r));
}

static void* allocate_in_rounds(void* first) {
    pthread_setspecific(round_key, pack((Rounds){1, (unsigned)(uintptr_t)first}));
    return NULL;
}

static void rounds(uint64_t count) {
    CHECK(pthread_key_create(&round_key, in_a_round) == 0, "pthread_key_create");
    for (uintptr_t first = 1; first <= ROUNDS_SERVED; first++) {
        size_t before = 0;
        for (uint64_t i = 0; i < count; i++) {
            pthread_join(test_thread(allocate_in_rounds, (void*)first), NULL);
            if (i == count / 10) before = rss_bytes();
        }
        test_expect_flat(before, MIB, "rounds");
    }
    CHECK(last_rounds == count * ROUNDS_SERVED, "%u last rounds", (unsigned)last_rounds);
}

// --- cancelled

static _Atomic unsigned cleaned;

static void clean(void* block) {
    use_many(20, 500);
    t_free(block);
    atomic_fetch_add(&cleaned, 1);
}

static void* until_cancelled(void* unused) {
    void* block = t_malloc(3000);
    pthread_cleanup_push(clean, block);
    for (;;) {
        use_many(50, 200);
        pthread_testcancel();
    }
    pthread_cleanup_pop(0);
    return unused;
}

// Asynchronous only while it computes: malloc must not be cancelled asynchronously.
static void* while_it_computes(void* unused) {
    void* block = t_malloc(3000);
    pthread_cleanup_push(clean, block);
    for (;;) {
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        use_many(50, 200);
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        for (unsigned i = 0; i < 2000; i++) __asm__ volatile("" ::: "memory");
        pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    }
    pthread_cleanup_pop(0);
    return unused;
}

static _Atomic bool told;

static void* exit_with_one_waiting(void* unused) {
    void* block = t_malloc(3000);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(clean, block);
    while (!atomic_load(&told)) use_many(20, 200);
    use_many(100, 1000);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
    return unused;
}

static void cancel_each(uint64_t count) {
    static void* (*const bodies[])(void*) = {until_cancelled, while_it_computes, exit_with_one_waiting};
    for (uint64_t i = 0; i < count; i++) {
        pthread_t threads[3];
        atomic_store(&told, false);
        for (int k = 0; k < 3; k++) threads[k] = test_thread(bodies[k], NULL);
        use_many(100, 300);
        for (int k = 0; k < 3; k++) pthread_cancel(threads[k]);
        atomic_store(&told, true);
        for (int k = 0; k < 3; k++) pthread_join(threads[k], NULL);
    }
}

static void cancelled(uint64_t count) {
    cancel_each(count / 10);
    size_t before = rss_bytes();
    cancel_each(count);
    test_expect_flat(before, 2 * MIB, "cancelled");
    test_say("cancelled: %u cleanups", (unsigned)cleaned);
}

// --- crowd

enum { ALIVE = 200 };

static void* live_a_little(void* number) {
    use_many(30, 16 + (uintptr_t)number % 900);
    return NULL;
}

static void crowd(uint64_t count) {
    static pthread_t threads[ALIVE];
    size_t before = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i >= ALIVE) pthread_join(threads[i % ALIVE], NULL);
        threads[i % ALIVE] = test_thread(live_a_little, (void*)(uintptr_t)i);
        if (i == count / 10) before = rss_bytes();
    }
    for (int i = 0; i < ALIVE; i++) pthread_join(threads[i], NULL);
    test_expect_flat(before, 16 * MIB, "crowd");  // the number of threads alive goes up and down
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    uint64_t n = test_argument(argc, argv, 2, 300);
    test_start("thread_ends", 0);
    alarm(SECONDS);
    if (strcmp(mode, "keys_taken") == 0)
        keys_taken(n);
    else if (strcmp(mode, "rounds") == 0)
        rounds(n);
    else if (strcmp(mode, "cancelled") == 0)
        cancelled(n);
    else if (strcmp(mode, "crowd") == 0)
        crowd(n);
    else
        CHECK(false, "mode \"%s\": choose keys_taken, rounds, cancelled or crowd", mode);
    test_check_heap();
    test_say("thread_ends %s: ok", mode);
    return 0;
}
