// Memory goes back: threads that have ended allocated about 200 MB of mixed sizes, which is freed and trimmed.
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { THREADS = 6, BLOCKS_MAX = 200000 };
#define BYTES_PER_THREAD ((size_t)34 << 20)
#define MIB ((size_t)1 << 20)

typedef struct {
    char** blocks;
    size_t count;
    uint64_t seed;
} Share;

static char* block_table[THREADS][BLOCKS_MAX];

static void* allocate(void* argument) {
    Share* share = argument;
    Random random = {share->seed};
    size_t bytes = 0;
    while (bytes < BYTES_PER_THREAD && share->count < BLOCKS_MAX) {
        uint64_t kind = random_below(&random, 1000);
        size_t size = kind < 900   ? 1 + random_below(&random, 1024)
                      : kind < 990 ? 1 + random_below(&random, 16384)
                      : kind < 999 ? 1 + random_below(&random, 600000)
                                   : 1 + random_below(&random, 6 * MIB);
        char* p = t_malloc(size);
        CHECK(p != NULL, "no memory for %zu bytes", size);
        memset(p, 1, size);
        share->blocks[share->count++] = p;
        bytes += size;
    }
    return NULL;
}

static void fill_and_empty(uint64_t seed, size_t before) {
    static Share shares[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        shares[i] = (Share){block_table[i], 0, seed + (uint64_t)i};
        CHECK(pthread_create(&threads[i], NULL, allocate, &shares[i]) == 0, "pthread_create");
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    size_t full = rss_bytes();
    CHECK(full > before + THREADS * BYTES_PER_THREAD * 9 / 10, "only %zu KiB were used", (full - before) >> 10);
    for (int i = 0; i < THREADS; i++)
        for (size_t b = 0; b < shares[i].count; b++) {
            // every second block first, so that freeing meets slabs in every state
            size_t at = b * 2 < shares[i].count ? b * 2 : (b - (shares[i].count + 1) / 2) * 2 + 1;
            t_free(shares[i].blocks[at]);
        }
    errno = 4711;
    t_trim(0);
    CHECK(!test_is_hakmem() || errno == 4711, "malloc_trim changed errno");
    size_t after = rss_bytes();
    test_say("trim: RSS %zu KiB before, %zu full, %zu after", before >> 10, full >> 10, after >> 10);
    // only libhakmem promises this: malloc_trim of the others leaves more, or does not exist
    CHECK(!test_is_hakmem() || after <= before + (full - before) / 20,
          "RSS fell from %zu to %zu KiB, before it was %zu", full >> 10, after >> 10, before >> 10);
    test_check_heap();
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    if (seed == 0) seed = test_random_seed();
    test_start("trim", seed);
    memset(block_table, 0xff, sizeof block_table);  // resident from the start
    size_t before = rss_bytes();
    fill_and_empty(seed, before);
    fill_and_empty(seed + 100, before);
    test_say("trim: ok");
    return 0;
}
