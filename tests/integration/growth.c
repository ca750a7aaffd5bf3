// No path takes time linear in the number of SuperSlabs. A malloc and a free, of every kind of size, cost about the
// same beside ten thousand SuperSlabs as beside ten. Caches that no longer hold the tables may cost a few times as
// much; a walk over the tables would cost a thousand times.
#include "support/family.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FEW = 20,
    MANY = 20000,
    BLOCK = 700000,  // two fit a SuperSlab; nobody touches them
    WORKING = 64,
    OPERATIONS = 3000,
    TRIES = 5,
    TIMES_AS_MUCH = 40
};

static const size_t sizes[] = {64, 1000, 8000, 12000, 40000, 200000, 700000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static char* live[MANY];

// Seconds of the fastest of some tries; the slower ones were disturbed. Each try replaces blocks at random.
static double replace(Random* random, char** blocks, uint64_t count, size_t size) {
    double best = 1e9;
    for (int try = 0; try < TRIES; try++) {
        double start = now_seconds();
        for (int i = 0; i < OPERATIONS; i++) {
            uint64_t victim = random_below(random, count);
            t_free(blocks[victim]);
            blocks[victim] = t_malloc(size);
        }
        double took = now_seconds() - start;
        if (took < best) best = took;
    }
    return best;
}

static double replace_beside(Random* random, size_t size) {
    char* working[WORKING] = {NULL};
    double best = replace(random, working, WORKING, size);
    for (int i = 0; i < WORKING; i++) t_free(working[i]);
    return best;
}

static void fill(int from, int to) {
    for (int i = from; i < to; i++) {
        live[i] = t_malloc(BLOCK);
        if (live[i] != NULL) continue;
        test_say("growth: skipped: no address space for %d blocks", MANY);
        exit(77);
    }
}

static void compare(const char* what, size_t size, double few, double many) {
    test_say("%s %7zu bytes: %5.0f ns beside %d SuperSlabs, %5.0f beside %d", what, size, few * 1e9 / OPERATIONS,
             FEW / 2, many * 1e9 / OPERATIONS, MANY / 2);
    CHECK(many < few * TIMES_AS_MUCH, "%s of %zu bytes: %.1f times the time", what, size, many / few);
}

int main(int argc, char** argv) {
    Random random = {test_argument(argc, argv, 1, 1)};
    double few[SIZES], few_live;
    test_start("growth", random.state);
    fill(0, FEW);
    for (int i = 0; i < SIZES; i++) few[i] = replace_beside(&random, sizes[i]);
    few_live = replace(&random, live, FEW, BLOCK);
    fill(FEW, MANY);
    for (int i = 0; i < SIZES; i++) compare("replaced", sizes[i], few[i], replace_beside(&random, sizes[i]));
    compare("among all", BLOCK, few_live, replace(&random, live, MANY, BLOCK));
    for (int i = 0; i < MANY; i++) t_free(live[i]);
    test_check_heap();
    test_say("growth: ok");
    return 0;
}
