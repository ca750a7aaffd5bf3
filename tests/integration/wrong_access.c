// A random program that reads or writes wrongly, once. It says what it is about to do, and does it:
//
//   wrong_access SEED end|start       end: past the end of a block, or after its free; start: before it, or after
//
//   expect ACCESS KIND block=ADDRESS size=BYTES distance=BYTES threads=N
//     ACCESS: read or write     KIND: past, before, after or empty (a block of no bytes)
//     distance: of the first byte, from the block's end or start
//
// Blocks are small, large or huge, and come from all functions of the family. Other threads allocate and free
// meanwhile. Another thread than the one that allocated the block may free it, and make the access. In the end the
// program frees its blocks and says that nothing was noticed.
#include "support/test.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS_MOST = 2000, CHURNERS_MOST = 3, REACH = 4096 };

static Random random_of_main;
static char* block[BLOCKS_MOST];
static size_t size_of[BLOCKS_MOST];
static atomic_bool churning = true;

static size_t below(size_t n) {
    return (size_t)random_below(&random_of_main, n);
}

static size_t random_size(Random* random) {
    static const size_t most[] = {64, 512, 8000, 100000, 2000000};
    uint64_t kind = random_below(random, 100);
    size_t i = kind < 40 ? 0 : kind < 70 ? 1 : kind < 88 ? 2 : kind < 97 ? 3 : 4;
    return 1 + (size_t)random_below(random, most[i]);
}

static char* allocate(Random* random, size_t size) {
    switch (random_below(random, 5)) {
    case 0: return calloc(1, size);
    case 1: return realloc(malloc(size / 2 + 1), size);
    case 2: return memalign((size_t)16 << random_below(random, 4), size);
    default: return malloc(size);
    }
}

static void* churn(void* seed) {
    enum { SLOTS = 64 };
    Random random = {(uint64_t)(uintptr_t)seed};
    char* slot[SLOTS] = {0};
    while (atomic_load(&churning)) {
        char** at = &slot[random_below(&random, SLOTS)];
        size_t size = random_size(&random);
        free(*at);
        *at = allocate(&random, size);
        **at = 'c';
    }
    for (int i = 0; i < SLOTS; i++) free(slot[i]);
    return NULL;
}

// --- the mistake

typedef struct {
    char* at;
    bool write;
} Access;

__attribute__((noinline)) static void* access_memory(void* argument) {
    const Access* access = argument;
    volatile char* at = access->at;
    if (access->write)
        *at = 'w';
    else
        (void)*at;
    return NULL;
}

static void* free_block(void* p) {
    free(p);
    return NULL;
}

static void in_some_thread(void* (*work)(void*), void* argument) {
    pthread_t thread;
    if (below(3) != 0) {
        work(argument);
        return;
    }
    if (pthread_create(&thread, NULL, work, argument) != 0) abort();
    pthread_join(thread, NULL);
}

static size_t random_distance(void) {
    return below(5) < 2 ? below(64) : below(REACH);
}

static void do_wrong(size_t victim, bool at_start) {
    static const char* const kinds[] = {"after", "past", "before", "empty"};
    size_t size = size_of[victim], kind = size == 0 ? 3 : below(5) < 2 ? 0 : at_start ? 2 : 1, distance;
    distance = kind == 0 ? below(size) : kind == 3 ? 0 : kind == 2 ? 1 + random_distance() : random_distance();
    char* p = block[victim];
    Access access = {kind == 1 ? p + size + distance : kind == 2 ? p - distance : p + distance, below(2) == 0};
    if (kind == 0) {
        block[victim] = NULL;
        in_some_thread(free_block, p);
        for (size_t i = below(3000); i > 0; i--) free(allocate(&random_of_main, 1 + below(300)));
    }
    printf("expect %s %s block=%p size=%zu distance=%zu\n", access.write ? "write" : "read", kinds[kind], (void*)p,
           size, distance);
    fflush(stdout);
    in_some_thread(access_memory, &access);
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 1);
    pthread_t churner[CHURNERS_MOST];
    random_of_main.state = seed * 1000003;
    size_t blocks = 50 + below(BLOCKS_MOST - 50), churners = below(CHURNERS_MOST + 1), victim = below(blocks);
    for (size_t i = 0; i < churners; i++)
        if (pthread_create(&churner[i], NULL, churn, (void*)(uintptr_t)(seed * 31 + i)) != 0) abort();
    for (size_t i = 0; i < blocks; i++) {
        size_of[i] = i == victim && below(20) == 0 ? 0 : random_size(&random_of_main);
        block[i] = size_of[i] ? allocate(&random_of_main, size_of[i]) : malloc(0);
    }
    for (size_t i = 0; i < blocks; i++)
        if (i != victim && below(2) == 0) {
            free(block[i]);
            block[i] = NULL;
        }
    do_wrong(victim, argc > 2 && strcmp(argv[2], "start") == 0);
    atomic_store(&churning, false);
    for (size_t i = 0; i < churners; i++) pthread_join(churner[i], NULL);
    for (size_t i = 0; i < blocks; i++) free(block[i]);
    puts("not noticed");
    return 0;
}
