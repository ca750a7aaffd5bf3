// Blocks are replaced at random among full slabs, most of which have no owner: the freed ones wait in the thread's bin,
// and hardly a free claims a slab. Bins that batches have made large become small again, without a block being lost. Of
// full slabs of large blocks a thread keeps the last few: what others free there comes back to it, and is given back
// while the thread is busy with other blocks. Of small blocks it keeps none.
#include "support/family.h"
#include "support/test.h"

#include <pthread.h>
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

// Refills of another class, so that scans that are due take place.
static void let_scan(void) {
    const struct timespec period = {.tv_nsec = 260000000};
    nanosleep(&period, NULL);
    for (int i = 0; i < BATCH; i++) batch[i] = t_malloc(2000);
    for (int i = 0; i < BATCH; i++) t_free(batch[i]);
}

// Freed blocks that find no place in the bin go to their slabs.
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
        let_scan();
        test_check_heap();
    }
    unsigned long long small = freed_to_slabs();
    test_say("of 200 blocks %llu have no place in a bin, and %llu after a rest", large, small);
    // On a slow machine the bins need not have become large: that takes frees in quick succession.
    CHECK(small > 100, "%llu without a place after a rest", small);
    test_check_heap();
}

// --- full slabs: an owner allocates, and another thread frees everything

// The last slab of SOME blocks is not wholly cut. Beside the full slabs that it keeps, an owner has at most OTHERS: the
// bound one, and what the C library needs for a thread.
enum { LARGE = 4000, SLAB_HOLDS = 65536 / 4096, SOME = 4 * SLAB_HOLDS - 3, MANY = 100 * SLAB_HOLDS };
enum { KEPT = 4, OTHERS = 3 };
static void* block[MANY];
static pthread_barrier_t turn;

static void allocate(void** into, int count, size_t size) {
    for (int i = 0; i < count; i++) into[i] = t_malloc(size);
}

static bool is_one_of(void* const* blocks, int count, const void* p) {
    for (int i = 0; i < count; i++)
        if (blocks[i] == p) return true;
    return false;
}

static unsigned long long slabs_in_use(void) {
    return test_counter("slab_taken") - test_counter("slab_released");
}

static void wait_for_the_other(void) {
    test_check_heap();
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
}

// Frees every step-th of the blocks first .. count - 1. Returns how many of them were sent to their slab's owner.
static unsigned long long free_as_another(int first, int step, int count) {
    pthread_barrier_wait(&turn);
    unsigned long long sent = test_counter("free_ss_remote");
    for (int i = first; i < count; i += step) t_free(block[i]);
    t_trim(0);
    return test_counter("free_ss_remote") - sent;
}

static void takes_what_came_back(void) {
    uint64_t fresh = test_counter("slab_taken");
    allocate(block + SOME, SOME, LARGE);
    for (int i = 0; i < SOME; i++)
        CHECK(is_one_of(block, SOME, block[SOME + i]), "block %d, %p, is none of those that came back", i,
              block[SOME + i]);
    CHECK(test_counter("slab_taken") == fresh, "%d blocks came back, and new slabs were taken", SOME);
    for (int i = 0; i < SOME; i++) t_free(block[SOME + i]);
}

// Scans come so often that none comes after an idle period, on a machine that is not very slow. Counts the slabs that
// went, without those of the new blocks, which fill their slabs and stay.
enum { STEPS = 8, STEP = 320, OTHER = 1000, OTHER_SLABS = STEPS * STEP / (65536 / 1024), TIMES = 3 };
static void* other[TIMES * STEPS * STEP];
static int others;

static long busy_with_other_blocks(void) {
    const struct timespec pause = {.tv_nsec = 100000000};
    unsigned long long before = slabs_in_use();
    for (int step = 0; step < STEPS; step++, others += STEP) {
        allocate(other + others, STEP, OTHER);
        nanosleep(&pause, NULL);
    }
    return (long)(before + OTHER_SLABS - slabs_in_use());
}

static void* owner_of_large(void* unused) {
    allocate(block, SOME, LARGE);
    wait_for_the_other();
    takes_what_came_back();
    allocate(block, MANY, LARGE);
    wait_for_the_other();  // the owner sleeps
    long given = busy_with_other_blocks();
    CHECK(given >= KEPT, "%ld of the %d slabs that others had emptied were given back", given, KEPT);
    allocate(block, MANY, LARGE);
    wait_for_the_other();
    (void)busy_with_other_blocks();
    wait_for_the_other();
    given = busy_with_other_blocks();
    CHECK(given >= KEPT, "%ld of the %d slabs that others had emptied in two steps were given back", given, KEPT);
    allocate(block, MANY, LARGE);
    wait_for_the_other();
    while (others > 0) t_free(other[--others]);
    t_trim(0);
    wait_for_the_other();
    return unused;
}

static void full_slabs_of_large_blocks_are_kept(void) {
    pthread_t thread;
    t_trim(0);
    unsigned long long before = slabs_in_use();
    CHECK(pthread_create(&thread, NULL, owner_of_large, NULL) == 0, "no thread");
    unsigned long long sent = free_as_another(0, 1, SOME);
    CHECK(sent == SOME, "%llu of %d blocks were sent to the owner of their slabs", sent, SOME);
    pthread_barrier_wait(&turn);
    (void)free_as_another(0, 1, MANY);
    unsigned long long stuck = slabs_in_use() - before;
    test_say("a sleeping owner keeps %llu of %d slabs", stuck, MANY / SLAB_HOLDS);
    CHECK(stuck >= KEPT && stuck <= KEPT + OTHERS, "%llu slabs of a sleeping owner, all of whose blocks were freed",
          stuck);
    for (int half = 0; half < 2; half++) {
        pthread_barrier_wait(&turn);
        (void)free_as_another(half, 2, MANY);
    }
    pthread_barrier_wait(&turn);
    (void)free_as_another(0, 1, MANY);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    CHECK(slabs_in_use() <= before + OTHERS, "%llu slabs before, %llu after the owner has trimmed", before,
          slabs_in_use());
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
    t_trim(0);
    CHECK(slabs_in_use() <= before + 1, "%llu slabs before, %llu after", before, slabs_in_use());
    test_check_heap();
}

enum { SMALLISH = 1000, SMALLISH_HOLDS = 65536 / 1024, SMALLISH_SOME = 6 * SMALLISH_HOLDS };

static void* owner_of_small(void* unused) {
    allocate(block, SMALLISH_SOME, SMALLISH);
    wait_for_the_other();
    return unused;
}

static void full_slabs_of_small_blocks_are_given_up(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, owner_of_small, NULL) == 0, "no thread");
    unsigned long long sent = free_as_another(0, 1, SMALLISH_SOME);
    CHECK(sent <= SMALLISH_HOLDS, "%llu of %d blocks were sent: more than the slab that refills take from has", sent,
          SMALLISH_SOME);
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
    test_check_heap();
}

int main(void) {
    const size_t sizes[] = {64, 500, 1000, 2000, 4000, 8000, 16000};
    Random random = {1};
    test_start("full_slabs", 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) replace_at_random(&random, sizes[i]);
    large_bins_become_small();
    pthread_barrier_init(&turn, NULL, 2);
    full_slabs_of_large_blocks_are_kept();
    full_slabs_of_small_blocks_are_given_up();
    test_check_heap();
    test_say("full_slabs: ok");
    return 0;
}
