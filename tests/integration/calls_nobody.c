// The library calls the kernel by itself. If another library stands in front of the C library's functions
// (shims/allocating_calls.c), these are not called, except the few that make a thread's key and a fork's handlers, once
// each.
//
//   calls_nobody        with the shim in LD_PRELOAD, before or behind the library
#include "support/test.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, SLOTS = 300, MOST = 128, SECONDS = 40 };
static const char* (*name_of)(unsigned i);
static unsigned long (*count_of)(unsigned i);

typedef struct {
    unsigned long calls[MOST];
} Calls;

static void* symbol(const char* name) {
    void* found = dlsym(RTLD_DEFAULT, name);
    CHECK(found != NULL, "no %s: the shim is not loaded", name);
    return found;
}

static Calls calls_now(void) {
    Calls now = {0};
    for (unsigned i = 0; name_of(i) != NULL; i++) now.calls[i] = count_of(i);
    return now;
}

static bool is_any_of(const char* name, const char* const* names) {
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static void expect_none_since(const Calls* before, const char* const* allowed, const char* what) {
    Calls now = calls_now();
    for (unsigned i = 0; name_of(i) != NULL; i++)
        CHECK(now.calls[i] == before->calls[i] || is_any_of(name_of(i), allowed), "%s: %s was called %lu times", what,
              name_of(i), now.calls[i] - before->calls[i]);
}

static const char* const none[] = {NULL};

static void shim_sees_a_call(void) {
    Calls before = calls_now(), after;
    CHECK(getpid() > 0, "getpid");
    after = calls_now();
    for (unsigned i = 0; name_of(i) != NULL; i++)
        if (strcmp(name_of(i), "getpid") == 0)
            CHECK(after.calls[i] == before.calls[i] + 1, "the shim has not seen getpid");
}

// --- warm

static void small_blocks(unsigned rounds) {
    static void* blocks[SLOTS];
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < SLOTS; i++) {
            blocks[i] = malloc(16 + i * 3);
            memset(blocks[i], 1, 16);
        }
        for (unsigned i = 0; i < SLOTS; i++) free(blocks[i]);
    }
}

static void warm_loop(void) {
    small_blocks(20);
    Calls before = calls_now();
    small_blocks(5000);
    expect_none_since(&before, none, "a warm loop");
}

// --- churn

static pthread_barrier_t begin, end, leave;

static void churn(unsigned seed) {
    Random random = {seed};
    unsigned char* blocks[SLOTS] = {0};
    for (unsigned i = 0; i < 15000; i++) {
        unsigned k = (unsigned)random_below(&random, SLOTS);
        size_t size = 2 + random_below(&random, i % 9 ? 5000 : i % 27 ? 60000 : 3000000);
        if (blocks[k] != NULL) CHECK(blocks[k][0] == k % 251, "block %u was overwritten", k);
        blocks[k] = realloc(blocks[k], size);
        CHECK(blocks[k] != NULL, "no memory for %zu bytes", size);
        memset(blocks[k], (int)(k % 251), size < 100 ? size : 100);
        if (i % 3) continue;
        free(blocks[k]);
        blocks[k] = NULL;
    }
    for (unsigned k = 0; k < SLOTS; k++) free(blocks[k]);
}

static void* churn_between_barriers(void* seed) {
    churn((unsigned)(uintptr_t)seed + 100);
    pthread_barrier_wait(&begin);
    churn((unsigned)(uintptr_t)seed);
    pthread_barrier_wait(&end);
    pthread_barrier_wait(&leave);
    return NULL;
}

static void* live_briefly(void* seed) {
    small_blocks(1);
    free(malloc(300000));
    return seed;
}

static void threads_that_stay(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&begin, NULL, THREADS + 1);
    pthread_barrier_init(&end, NULL, THREADS + 1);
    pthread_barrier_init(&leave, NULL, THREADS + 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, churn_between_barriers, (void*)i) == 0, "pthread_create");
    pthread_barrier_wait(&begin);
    Calls before = calls_now();
    pthread_barrier_wait(&end);
    expect_none_since(&before, none, "three threads that churn");
    pthread_barrier_wait(&leave);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void fork_and_look(void) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        churn(5);
        test_check_heap();
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child's wait status is %#x", status);
}

static void births_trims_and_forks(void) {
    static const char* const for_ends[] = {"pthread_setspecific", NULL};
    Calls before = calls_now();
    for (int i = 0; i < 30; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, live_briefly, NULL) == 0, "pthread_create");
        pthread_join(thread, NULL);
        if (i % 10 == 0) malloc_trim(0), fork_and_look();
    }
    expect_none_since(&before, for_ends, "births, trims and forks");
}

int main(void) {
    static const char* const at_load[] = {"getauxval", "pthread_key_create", "pthread_setspecific", "__register_atfork",
                                          NULL};
    *(void**)&name_of = symbol("call_name");
    *(void**)&count_of = symbol("calls_seen");
    Calls nothing = {0};
    free(malloc(100));
    expect_none_since(&nothing, at_load, "up to the first malloc");
    alarm(SECONDS);
    test_start("calls_nobody", 0);
    shim_sees_a_call();
    warm_loop();
    threads_that_stay();
    births_trims_and_forks();
    test_check_heap();
    test_say("calls_nobody: ok");
    return 0;
}
