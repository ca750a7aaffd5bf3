// A chain of processes, each the child of the one before, made by a fork while its threads have blocks. What those
// threads had is used again, so memory and address space stay as they are over any number of generations.
//
//   generations paused [COUNT]      the threads wait while the fork comes
//   generations churning [COUNT]    they allocate and free meanwhile
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, BLOCKS = 3000, FIRST = 10, SECONDS = 20 };
#define MIB ((size_t)1 << 20)

typedef struct {
    size_t resident, mapped;
} Size;

static _Atomic(unsigned char*) blocks[THREADS][BLOCKS];
static _Atomic unsigned ready;
static bool churning;

static void drop(unsigned char* p) {
    if (p == NULL) return;
    CHECK(p[0] == p[99], "block %p is damaged: %u, %u", (void*)p, p[0], p[99]);
    t_free(p);
}

static void replace(unsigned thread, unsigned i) {
    unsigned char* p = t_malloc(100 + i % 1000);
    memset(p, (int)i, 100 + i % 1000);
    drop(atomic_exchange(&blocks[thread][i], p));
}

static void* use(void* argument) {
    unsigned thread = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < BLOCKS; i++) replace(thread, i);
    atomic_fetch_add(&ready, 1);
    for (unsigned i = 0; churning; i++) replace(i % 7 == 0 ? (thread + 1) % THREADS : thread, i * 7 % BLOCKS);
    for (;;) pause();
    return NULL;
}

static void start_threads(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    atomic_store(&ready, 0);
    for (uintptr_t k = 0; k < THREADS; k++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, &attributes, use, (void*)k) == 0, "pthread_create");
    }
    while (atomic_load(&ready) < THREADS) sleep_ms(1);
    pthread_attr_destroy(&attributes);
}

static void live(uint64_t generation, uint64_t last, int result) {
    alarm(SECONDS);
    for (unsigned k = 0; k < THREADS; k++)
        for (unsigned i = 0; i < BLOCKS; i++) drop(atomic_exchange(&blocks[k][i], NULL));
    start_threads();
    if (generation != FIRST && generation != last) return;
    Size size = {rss_bytes(), mapped_bytes()};
    CHECK(write(result, &size, sizeof size) == sizeof size, "write");
}

static void run_chain(uint64_t last, int result) {
    for (uint64_t generation = 0;; generation++) {
        live(generation, last, result);
        if (generation == last) _exit(0);
        pid_t pid = fork();
        CHECK(pid >= 0, "fork of generation %llu", (unsigned long long)generation);
        if (pid > 0) _exit(0);
    }
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    uint64_t last = test_argument(argc, argv, 2, 100);
    churning = strcmp(mode, "churning") == 0;
    test_start("generations", 0);
    int ends[2];
    Size sizes[2] = {0};
    CHECK(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) run_chain(last, ends[1]);
    close(ends[1]);
    for (int i = 0; i < 2; i++) CHECK(read(ends[0], &sizes[i], sizeof sizes[i]) == sizeof sizes[i], "the chain broke");
    test_say("generations %s: RSS %zu KiB in the %dth, %zu in the %lluth; mapped %zu and %zu KiB", mode,
             sizes[0].resident >> 10, FIRST, sizes[1].resident >> 10, (unsigned long long)last, sizes[0].mapped >> 10,
             sizes[1].mapped >> 10);
    CHECK(sizes[1].resident < sizes[0].resident + sizes[0].resident / 2 + 4 * MIB, "RSS grows");
    CHECK(sizes[1].mapped < sizes[0].mapped + sizes[0].mapped / 2 + 32 * MIB, "address space grows");
    return 0;
}
