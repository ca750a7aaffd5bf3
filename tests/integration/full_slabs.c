// Blocks replaced at random among full slabs, which have no owner: the freed ones wait in the thread's bin, and hardly a free claims a slab. One
// that is freed twice in a row is told.
#include "support/family.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void free_twice_in_a_row(void) {
    const struct rlimit none = {0, 0};
    void* blocks[BLOCKS];
    setrlimit(RLIMIT_CORE, &none);
    for (int i = 0; i < BLOCKS; i++) blocks[i] = t_malloc(8000);
    t_free(t_malloc(8000));  // so that there is room in the bin
    t_free(blocks[0]);
    t_free(blocks[0]);
}

static void expect_abort(void (*body)(void)) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        body();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "a double free went unnoticed: status %d", status);
}

int main(void) {
    const size_t sizes[] = {64, 500, 1000, 2000, 4000, 8000};
    Random random = {1};
    test_start("full_slabs", 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) replace_at_random(&random, sizes[i]);
    expect_abort(free_twice_in_a_row);
    test_check_heap();
    test_say("full_slabs: ok");
    return 0;
}
