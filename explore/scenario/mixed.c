#include "scenario/maker.h"

#include <stdio.h>

// Whatever a program may do. Most of what it finds is wrong without a switch: a count, a list, a step left out in a
// state that nobody thought of.

enum { PALETTE = 3, OPS_ALL = 48, BYTES_MOST = 24 << 20, LARGE = 16384 };

typedef struct {
    Maker* m;
    uint64_t size[PALETTE];
    uint64_t bytes;  // all that is allocated, so that no run needs more than there is
    unsigned threads;
    bool has_forked;
    bool has_copied;  // a copy that starts a thread before it has noticed what it is may hang: docs/OWNERSHIP.md
} Mixed;

static uint32_t below(Mixed* x, uint32_t n) {
    return maker_below(x->m, n);
}

static uint64_t a_size(Mixed* x) {
    static const uint32_t sizes[] = {16,    24,    64,    256,   1024,   1792,   4096,   8192,   16384,   16400,
                                     20000, 36000, 65536, 81920, 100000, 200000, 300000, 700000, 1 << 20, 3 << 20};
    return sizes[below(x, sizeof sizes / sizeof *sizes)];
}

static uint64_t drawn_size(Mixed* x) {
    uint64_t size = x->size[below(x, PALETTE)];
    return x->bytes + size <= BYTES_MOST ? size : 64;
}

static Op allocation(Mixed* x, unsigned maker, uint32_t count) {
    uint64_t size = drawn_size(x);
    if (x->bytes + count * size > BYTES_MOST) count = 1;
    x->bytes += count * size;
    uint8_t block = count == 1 ? maker_block(x->m, maker) : BLOCKS_MOST;
    return (Op){below(x, 8) ? OP_MALLOC : OP_CALLOC, (uint8_t)(maker & ~(unsigned)IN_SETUP), block, 0, count, size};
}

static void make_setup(Mixed* x, unsigned thread) {
    Maker* m = x->m;
    uint32_t ops = 1 + below(x, 8);
    for (uint32_t i = 0; i < ops; i++) {
        maker_setup(m, allocation(x, thread | IN_SETUP, below(x, 3) ? 1 : 1 + below(x, 70)));
        if (below(x, 4) || !maker_setup_has_room(m)) continue;
        uint8_t block = maker_take(m, thread);
        if (block != BLOCKS_MOST) maker_setup(m, (Op){OP_FREE, (uint8_t)thread, block, 0, 1, 0});
    }
}

static void make_free(Mixed* x, unsigned thread) {
    uint8_t block = maker_has_room(x->m, thread) ? maker_take(x->m, thread) : BLOCKS_MOST;
    if (block != BLOCKS_MOST) maker_op(x->m, thread, (Op){OP_FREE, 0, block, 0, 1, 0});
}

static void make_realloc(Mixed* x, unsigned thread) {
    Maker* m = x->m;
    if (!maker_has_room(m, thread) || m->scenario->block_count == BLOCKS_MOST) return;
    uint8_t old = maker_take(m, thread);
    if (old == BLOCKS_MOST) return;
    uint64_t size = below(x, 2) ? drawn_size(x) : a_size(x);
    x->bytes += size;
    maker_op(m, thread, (Op){OP_REALLOC, 0, maker_block(m, thread), old, 1, size});
}

static void make_fork(Mixed* x, unsigned thread) {
    if (x->has_forked || !maker_has_room(x->m, thread)) return;
    x->has_forked = x->m->alone[thread] = true;
    x->has_copied = below(x, 3) == 0;
    maker_op(x->m, thread, (Op){.kind = x->has_copied ? OP_COPY : OP_FORK, .count = 1});
}

// Starts one more thread, which frees what setups have made, and allocates.
static void make_start(Mixed* x, unsigned thread) {
    Scenario* s = x->m->scenario;
    unsigned born = s->thread_count;
    if (born == THREADS_MOST || x->has_copied || !maker_has_room(x->m, thread)) return;
    s->thread_count++;
    s->begins[born] = false;
    x->m->alone[born] = true;
    maker_op(x->m, thread, (Op){.kind = OP_START, .thread = (uint8_t)born, .count = 1});
    for (uint32_t ops = 1 + below(x, 4); ops > 0; ops--) {
        maker_op(x->m, born, allocation(x, born, 1));
        if (below(x, 2)) make_free(x, born);
    }
    if (below(x, 2)) maker_op(x->m, born, (Op){.kind = OP_EXIT, .count = 1});
}

// A thread either ends, or its calls fail: without memory for the reserve TCB, a free stops the program.
static void make_end(Mixed* x, unsigned thread, Op op) {
    const Scenario* s = x->m->scenario;
    for (uint32_t i = 0; i < s->op_count[thread]; i++)
        if (s->op[thread][i].kind == (op.kind == OP_EXIT ? OP_FAIL : OP_EXIT)) return;
    maker_op(x->m, thread, op);
}

static void make_rare(Mixed* x, unsigned thread) {
    static const uint16_t milliseconds[] = {1, 30, 100, 1100, 5000};
    Maker* m = x->m;
    switch (below(x, 12)) {
    case 0:
    case 1: make_fork(x, thread); break;
    case 2:
    case 3: make_start(x, thread); break;
    case 4: make_end(x, thread, (Op){.kind = OP_EXIT, .count = 1}); break;
    case 5: maker_op(m, thread, (Op){.kind = OP_TRIM, .count = 1}); break;
    case 6: make_end(x, thread, (Op){.kind = OP_FAIL, .count = 1, .size = 1 + below(x, 3)}); break;
    case 7:
    case 8: maker_op(m, thread, (Op){.kind = OP_TICK, .count = 1, .size = milliseconds[below(x, 5)]}); break;
    case 9: maker_op(m, thread, (Op){.kind = OP_FLUSH, .count = 1}); break;
    default: maker_op(m, thread, (Op){.kind = OP_SCAN, .count = 1}); break;
    }
}

static void make_op(Mixed* x, unsigned thread) {
    uint32_t what = below(x, 16);
    if (!maker_has_room(x->m, thread)) return;
    if (what < 5)
        maker_op(x->m, thread, allocation(x, thread, below(x, 6) ? 1 : 1 + below(x, 16)));
    else if (what < 11)
        make_free(x, thread);
    else if (what < 13)
        make_realloc(x, thread);
    else
        make_rare(x, thread);
}

static void set(Mixed* x, const char* name, const char* value) {
    Scenario* s = x->m->scenario;
    char(*setting)[NAME_MOST] = s->setting[s->setting_count++];
    snprintf(setting[0], NAME_MOST, "%s", name);
    snprintf(setting[1], NAME_MOST, "%s", value);
}

static void make_settings(Mixed* x) {
    static const char *const caps[] = {"0", "0", "0", "1", "4", "8", "32"}, *const reserves[] = {"0", "65536", "4M"};
    if (below(x, 2)) set(x, "TINY_FAST_CAP", caps[below(x, 7)]);
    if (below(x, 4) == 0) set(x, "RESERVE", reserves[below(x, 3)]);
    if (below(x, 4) == 0) set(x, "PURGE_MS", below(x, 2) ? "1" : "100");
    if (below(x, 6) == 0) set(x, "CLOSE", "1");
    if (below(x, 8) == 0) set(x, "ZERO", below(x, 2) ? "alloc" : "free");
    if (below(x, 12) == 0) set(x, "TINY_USE_SUPERSLAB", "0");
    if (below(x, 12) == 0) set(x, "TINY_SS_ADOPT", "0");
    if (below(x, 12) == 0) set(x, "THP", "always");
}

void make_mixed(Maker* m) {
    Mixed x = {.m = m, .threads = m->scenario->thread_count};
    uint64_t small = a_size(&x), large = a_size(&x);
    x.size[0] = small;
    x.size[1] = large;
    x.size[2] = below(&x, 2) ? small + 4096 * below(&x, 9) : LARGE + 4096 * below(&x, 60);
    make_settings(&x);
    for (unsigned t = 0; t < x.threads; t++) make_setup(&x, t);
    for (uint32_t ops = 6 + below(&x, OPS_ALL - 6); ops > 0; ops--) make_op(&x, below(&x, x.threads));
    for (unsigned t = 0; t < m->scenario->thread_count; t++)
        if (m->scenario->op_count[t] == 0) maker_op(m, t, (Op){.kind = OP_FLUSH, .count = 1});
}
