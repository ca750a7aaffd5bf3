#include "base/random.h"
#include "scenario/scenario.h"

#include <stdio.h>

// Random scenarios have two or three threads, and slabs that are full or nearly so when the runs begin: that is where
// they change hands.

typedef struct {
    uint64_t stream;
    Scenario* scenario;
    uint64_t size;
    uint32_t capacity;  // blocks of a slab
    unsigned maker[BLOCKS_MOST];
    bool taken[BLOCKS_MOST];
} Maker;

static uint32_t below(Maker* m, uint32_t n) {
    return (uint32_t)(random_of(&m->stream) % n);
}

static uint8_t new_block(Maker* m, unsigned thread) {
    Scenario* s = m->scenario;
    unsigned b = s->block_count++;
    snprintf(s->block_name[b], NAME_MOST, "%c%u", 'a' + (int)thread, b);
    m->maker[b] = thread;
    m->taken[b] = false;
    return (uint8_t)b;
}

static void add_setup(Maker* m, Op op) {
    Scenario* s = m->scenario;
    if (s->setup_count < SETUP_OPS_MOST) s->setup[s->setup_count++] = op;
}

static void add_op(Maker* m, unsigned thread, Op op) {
    Scenario* s = m->scenario;
    op.thread = op.kind == OP_START ? op.thread : (uint8_t)thread;
    if (s->op_count[thread] < OPS_MOST) s->op[thread][s->op_count[thread]++] = op;
}

// A few named blocks in slabs that are nearly full.
static void make_setup(Maker* m, unsigned thread) {
    uint32_t slabs = 1 + below(m, 2);
    for (uint32_t i = 0; i < slabs; i++) {
        uint32_t named = 1 + below(m, 3), fill = m->capacity - named - (below(m, 3) == 0);
        add_setup(m, (Op){OP_MALLOC, (uint8_t)thread, BLOCKS_MOST, 0, fill, m->size});
        for (uint32_t n = 0; n < named && m->scenario->block_count < BLOCKS_MOST - 16; n++)
            add_setup(m, (Op){OP_MALLOC, (uint8_t)thread, new_block(m, thread), 0, 1, m->size});
    }
}

// A block that nobody takes yet; preferably another thread's.
static bool pick_block(Maker* m, unsigned thread, uint8_t* block) {
    for (int tries = 0; tries < 16; tries++) {
        unsigned b = below(m, m->scenario->block_count);
        if (m->taken[b] || (m->maker[b] == thread && tries < 8)) continue;
        m->taken[b] = true;
        *block = (uint8_t)b;
        return true;
    }
    return false;
}

static void make_op(Maker* m, unsigned thread) {
    uint8_t block;
    switch (below(m, 10)) {
    case 0:
    case 1:
    case 2: add_op(m, thread, (Op){OP_MALLOC, 0, new_block(m, thread), 0, 1, m->size}); break;
    case 3:
    case 4:
    case 5:
    case 6:
        if (!pick_block(m, thread, &block)) break;
        add_op(m, thread, (Op){OP_FREE, 0, block, 0, 1, 0});
        if (below(m, 2)) add_op(m, thread, (Op){.kind = OP_FLUSH, .count = 1});
        break;
    case 7: add_op(m, thread, (Op){.kind = OP_FLUSH, .count = 1}); break;
    case 8: add_op(m, thread, (Op){.kind = below(m, 2) ? OP_TRIM : OP_SCAN, .count = 1}); break;
    case 9: add_op(m, thread, (Op){.kind = OP_EXIT, .count = 1}); break;
    }
}

// A thread waits only for blocks that were made before, in the setup or by an operation made earlier, so there is
// always a way to the end.
static void make_programs(Maker* m) {
    uint32_t ops = 4 + below(m, 6);
    for (uint32_t i = 0; i < ops; i++) make_op(m, below(m, m->scenario->thread_count));
    for (unsigned t = 0; t < m->scenario->thread_count; t++)
        if (m->scenario->op_count[t] == 0) add_op(m, t, (Op){.kind = OP_FLUSH, .count = 1});
}

void scenario_random(uint64_t seed, Scenario* scenario) {
    static const struct {
        uint64_t size;
        uint32_t capacity;
    } sizes[] = {{1792, 36}, {1024, 64}, {4096, 16}, {8192, 8}, {20000, 100}};
    *scenario = (Scenario){.thread_count = 2, .preemptions = PREEMPTIONS_USUAL};
    Maker m = {.stream = seed * RANDOM_STEP + 1, .scenario = scenario};
    snprintf(scenario->name, sizeof scenario->name, "random-%lu", (unsigned long)seed);
    snprintf(scenario->about, sizeof scenario->about, "random scenario %lu", (unsigned long)seed);
    uint32_t s = below(&m, sizeof sizes / sizeof *sizes);
    m.size = sizes[s].size;
    m.capacity = sizes[s].capacity;
    scenario->thread_count = 2 + (below(&m, 3) == 0);
    for (unsigned t = 0; t < THREADS_MOST; t++) scenario->begins[t] = true;
    for (unsigned t = 0; t < scenario->thread_count; t++) make_setup(&m, t);
    make_programs(&m);
}
