// Blocks replaced at random among full slabs, which have no owner: the freed ones wait in the thread's bin, and hardly a free claims a slab. And
// bins that batches have made large become small again, without a block being lost.
#include "support/family.h"
#include "support/test.h"

#include <time.h>

enum { BLOCKS = 500, REPLACED = 20000 };

static void replace_at_random(Random* random, size_t size) {
    void* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = t_malloc(size);
    uint64_t before = test_counter("claim_won");
    for (int i = 0; i < REPLACED; i++) {
        int victim = (int)random_below(random, BLOCKS);
        t_free(blocks[victim]);
        blocks[victim] = t_malloc(size);
    }
    unsigned long long won = test_counter("claim_won") - before;
    test_say("%5zu bytes: %llu claims in %d replacements", size, won, REPLACED);
    CHECK(won < REPLACED / 20, "%zu bytes: a claim in every %llu replacements", size, REPLACED / won);
    for (int i = 0; i < BLOCKS; i++) t_free(blocks[i]);
}

enum { BATCH = 3000, SMALL = 64 };
static void* batch[BATCH];

static void batches(void) {
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < BATCH; i++) batch[i] = t_malloc(SMALL);
        for (int i = 0; i < BATCH; i++) t_free(batch[i]);
    }
}

// Refills of another class, so that the looks that are due are made.
static void look(void) {
    const struct timespec period = {.tv_nsec = 260000000};
    nanosleep(&period, NULL);
    for (int i = 0; i < BATCH; i++) batch[i] = t_malloc(2000);
    for (int i = 0; i < BATCH; i++) t_free(batch[i]);
}

// Freed blocks that the bin has no place for go to their slabs.
static unsigned long long freed_to_slabs(void) {
    for (int i = 0; i < BATCH; i++) batch[i] = t_malloc(SMALL);
    uint64_t before = test_counter("free_ss_local");
    for (int i = 0; i < 200; i++) t_free(batch[i]);
    unsigned long long straight = test_counter("free_ss_local") - before;
    for (int i = 200; i < BATCH; i++) t_free(batch[i]);
    return straight;
}

static void large_bins_become_small(void) {
    batches();
    test_check_heap();
    unsigned long long large = freed_to_slabs();
    for (int i = 0; i < 8; i++) {
        look();
        test_check_heap();
    }
    unsigned long long small = freed_to_slabs();
    test_say("of 200 blocks %llu have no place in a bin, and %llu after a rest", large, small);
    // On a slow machine they need not have become large: that takes frees in quick succession.
    CHECK(small > 100, "%llu without a place after a rest", small);
    test_check_heap();
}

int main(void) {
    const size_t sizes[] = {64, 500, 1000, 2000, 4000, 8000, 16000};
    Random random = {1};
    test_start("full_slabs", 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) replace_at_random(&random, sizes[i]);
    large_bins_become_small();
    test_check_heap();
    test_say("full_slabs: ok");
    return 0;
}
