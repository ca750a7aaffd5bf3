#include "superslab/size_class.h"

#include "base/atomic.h"
#include "superslab/owner_word.h"

// class_of_size() as a constant expression.
#define DOUBLING(n) ((n) > 4096 ? 12 : (n) > 2048 ? 11 : (n) > 1024 ? 10 : (n) > 512 ? 9 : 8)
#define ROUNDED(n) (((n) + SMALL_STEP - ((n) != 0)) / SMALL_STEP * SMALL_STEP)  // never 0, where clang would warn
#define CLASS(n)                                                                        \
    ((n) == 0                        ? CLASS_FIRST                                      \
     : (n) <= CLASS_LAST_LINEAR * 16 ? ((n) + 15) / 16                                  \
     : (n) > DOUBLING_MAX            ? CLASS_LAST_DOUBLING + 8 - SLAB_SIZE / ROUNDED(n) \
                          : CLASS_LAST_LINEAR + 1 + (DOUBLING(n) - 8) * 8 + (((n)-1) >> (DOUBLING(n) - 3) & 7))
#define TAG(n) (uint16_t)(TAG_PER_CLASS * CLASS(n))
#define TAGS_4(n) TAG(n), TAG((n) + 1), TAG((n) + 2), TAG((n) + 3)
#define TAGS_16(n) TAGS_4(n), TAGS_4((n) + 4), TAGS_4((n) + 8), TAGS_4((n) + 12)
#define TAGS_64(n) TAGS_16(n), TAGS_16((n) + 16), TAGS_16((n) + 32), TAGS_16((n) + 48)
#define TAGS_256(n) TAGS_64(n), TAGS_64((n) + 64), TAGS_64((n) + 128), TAGS_64((n) + 192)

_Atomic uint16_t hak_tag_of_tiny[TINY_MAX + 1] = {TAGS_256(0), TAGS_256(256), TAGS_256(512), TAGS_256(768), TAG(1024)};

// size_of_class() as a constant expression, for each of the three kinds of classes.
#define PART(size) (uint32_t)(UINT32_MAX / (size) + 1)
#define LINEAR_4(c) PART(16 * (c)), PART(16 * ((c) + 1)), PART(16 * ((c) + 2)), PART(16 * ((c) + 3))
#define EIGHTHS_4(n, i) \
    PART((n) / 8 * (i)), PART((n) / 8 * ((i) + 1)), PART((n) / 8 * ((i) + 2)), PART((n) / 8 * ((i) + 3))
#define DOUBLING_OF(n) EIGHTHS_4(n, 9), EIGHTHS_4(n, 13)
#define FEW(blocks) PART(SLAB_SIZE / (blocks) / SMALL_STEP * SMALL_STEP)

const uint32_t hak_class_part[CLASS_COUNT] = {
    0,
    LINEAR_4(1),
    LINEAR_4(5),
    LINEAR_4(9),
    LINEAR_4(13),
    DOUBLING_OF(256),
    DOUBLING_OF(512),
    DOUBLING_OF(1024),
    DOUBLING_OF(2048),
    DOUBLING_OF(4096),
    FEW(7),
    FEW(6),
    FEW(5),
    FEW(4),
};

#define STEPS_4(i) \
    TAG(SMALL_STEP*((i) + 1)), TAG(SMALL_STEP*((i) + 2)), TAG(SMALL_STEP*((i) + 3)), TAG(SMALL_STEP*((i) + 4))
#define STEPS_16(i) STEPS_4(i), STEPS_4((i) + 4), STEPS_4((i) + 8), STEPS_4((i) + 12)

const uint16_t hak_tag_of_small[SMALL_MAX / SMALL_STEP] = {STEPS_16(0),  STEPS_16(16), STEPS_16(32), STEPS_16(48),
                                                           STEPS_16(64), STEPS_16(80), STEPS_16(96), STEPS_16(112)};

_Atomic size_t hak_small_hits = SMALL_MAX;

static void lead_tiny(uint64_t offset) {
    for (size_t size = 0; size <= TINY_MAX; size++)
        store_relaxed(&hak_tag_of_tiny[size], (uint16_t)(offset + tag_of_class(class_of_size(size))));
}

void tags_count_mallocs(uint16_t offset) {
    lead_tiny(offset);
    store_relaxed(&hak_small_hits, (size_t)0);
}

void tags_count_no_more(void) {
    lead_tiny(0);
    store_relaxed(&hak_small_hits, SMALL_MAX);
}
