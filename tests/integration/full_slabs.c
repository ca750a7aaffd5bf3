// Blocks replaced at random among full slabs, which have no owner: the freed ones wait in the thread's bin, and hardly a free claims a slab.
#include "support/family.h"
#include "support/test.h"

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

int main(void) {
    const size_t sizes[] = {64, 500, 1000, 2000, 4000, 8000, 16000};
    Random random = {1};
    test_start("full_slabs", 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) replace_at_random(&random, sizes[i]);
    test_check_heap();
    test_say("full_slabs: ok");
    return 0;
}
