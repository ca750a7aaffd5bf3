#include "scenario/maker.h"

// Slabs that are full or nearly so when the runs begin: that is where they change hands.

typedef struct {
    uint64_t size;
    uint32_t capacity;  // blocks of a slab
} Contested;

// A few named blocks in slabs that are nearly full.
static void make_setup(Maker* m, const Contested* what, unsigned thread) {
    uint32_t slabs = 1 + maker_below(m, 2);
    for (uint32_t i = 0; i < slabs; i++) {
        uint32_t named = 1 + maker_below(m, 3), fill = what->capacity - named - (maker_below(m, 3) == 0);
        if (fill > what->capacity) fill = 0;
        maker_setup(m, (Op){OP_MALLOC, (uint8_t)thread, BLOCKS_MOST, 0, fill, what->size});
        for (uint32_t n = 0; n < named && m->scenario->block_count < BLOCKS_MOST - 16; n++)
            maker_setup(m, (Op){OP_MALLOC, (uint8_t)thread, maker_block(m, thread | IN_SETUP), 0, 1, what->size});
    }
}

static void make_free(Maker* m, unsigned thread) {
    uint8_t block = maker_take(m, thread);
    if (block == BLOCKS_MOST) return;
    maker_op(m, thread, (Op){OP_FREE, 0, block, 0, 1, 0});
    if (maker_below(m, 2)) maker_op(m, thread, (Op){.kind = OP_FLUSH, .count = 1});
}

static void make_op(Maker* m, const Contested* what, unsigned thread) {
    switch (maker_below(m, 10)) {
    case 0:
    case 1:
    case 2: maker_op(m, thread, (Op){OP_MALLOC, 0, maker_block(m, thread), 0, 1, what->size}); break;
    case 3:
    case 4:
    case 5:
    case 6: make_free(m, thread); break;
    case 7: maker_op(m, thread, (Op){.kind = OP_FLUSH, .count = 1}); break;
    case 8: maker_op(m, thread, (Op){.kind = maker_below(m, 2) ? OP_TRIM : OP_SCAN, .count = 1}); break;
    case 9: maker_op(m, thread, (Op){.kind = OP_EXIT, .count = 1}); break;
    }
}

void make_contested(Maker* m) {
    static const Contested sizes[] = {{1792, 36},   {1024, 64},   {4096, 16},  {8192, 8},
                                      {20000, 100}, {180000, 11}, {400000, 5}, {700000, 2}};
    const Contested* what = &sizes[maker_below(m, sizeof sizes / sizeof *sizes)];
    const unsigned threads = m->scenario->thread_count;
    for (unsigned t = 0; t < threads; t++) make_setup(m, what, t);
    uint32_t ops = 4 + maker_below(m, 6);
    for (uint32_t i = 0; i < ops; i++) make_op(m, what, maker_below(m, threads));
    for (unsigned t = 0; t < threads; t++)
        if (m->scenario->op_count[t] == 0) maker_op(m, t, (Op){.kind = OP_FLUSH, .count = 1});
}
