// Page runs that wait in a thread's cache: they keep no SuperSlab in which nothing else is, the last few long ones are handed out again, and are
// cleared for calloc, and one that is freed twice is told.
#include "support/family.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 1000, LEAST = 9 << 10, MOST = 64 << 10, LONG = 300000 };

static uint64_t superslabs(void) {
    return test_counter("superslab_made") - test_counter("superslab_released");
}

static void nothing_is_kept(Random* random) {
    static char* blocks[BLOCKS];
    uint64_t before = superslabs();
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = LEAST + random_below(random, MOST - LEAST);
        blocks[i] = t_malloc(size);
        memset(blocks[i], 1, size);
    }
    uint64_t full = superslabs();
    for (size_t left = BLOCKS; left > 0; left--) {
        size_t other = random_below(random, left);
        t_free(blocks[other]);
        blocks[other] = blocks[left - 1];
    }
    uint64_t after = superslabs();
    test_say("%llu SuperSlabs before, %llu with %d blocks, %llu when all are free", (unsigned long long)before,
             (unsigned long long)full, BLOCKS, (unsigned long long)after);
    CHECK(full >= before + 10, "too few to tell");
    CHECK(after <= before + 2, "%d free blocks keep %llu SuperSlabs", BLOCKS, (unsigned long long)(after - before));
    test_check_heap();
}

// As many lengths at once as are kept, then more; all of them again and again.
static void long_ones_again(void) {
    enum { KEPT = 4, MORE = 7, ROUNDS = 50 };
    char* blocks[MORE];
    for (int count = 1; count <= MORE; count++) {
        void* seen = NULL;
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < count; i++) {
                size_t size = (size_t)(100000 + 20000 * i);
                blocks[i] = round % 2 ? t_calloc(1, size) : t_malloc(size);
                CHECK(blocks[i] != NULL, "no memory");
                for (size_t at = 0; round % 2 && at < size; at++) CHECK(blocks[i][at] == 0, "byte %zu is not 0", at);
                memset(blocks[i], round + 1, size);
            }
            CHECK(count > KEPT || round == 0 || blocks[0] == seen, "%d long runs: not the one freed last", count);
            seen = blocks[0];
            for (int i = 0; i < count; i++) {
                size_t last = (size_t)(100000 + 20000 * i) - 1;
                CHECK(blocks[i][0] == round + 1 && blocks[i][last] == round + 1, "block %d was written to", i);
                t_free(blocks[i]);
            }
        }
        test_check_heap();
    }
}

static void* volatile again;  // so that the compiler lets the fault be

static void expect_told(void) {
    const struct rlimit none = {0, 0};
    int status;
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &none);
        again = t_malloc(LONG);
        t_free(again);
        t_free(again);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "a double free went unnoticed: status %d", status);
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    if (seed == 0) seed = test_random_seed();
    test_start("runs", seed);
    Random random = {seed};
    nothing_is_kept(&random);
    long_ones_again();
    expect_told();
    test_say("runs: ok");
    return 0;
}
