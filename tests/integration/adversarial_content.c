// Blocks are freed whose first words look like links: they decode to every block of the heap, live or free, of any
// thread, to the block itself, and to the end of a list. No such content may raise an alarm, lose memory beyond a small
// bound, or damage the heap.
//
//   adversarial_content [SEED [FREES [THREADS]]]    SEED 0: a new one. It needs a core linked in, to know the key.
#include "support/shadow.h"
#include "support/test.h"

#include "superslab/owner_word.h"
#include "superslab/size_class.h"
#include "thread/link.h"

#include <hakmem/hakmem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS = 500,
    EXCHANGE = 256,  // blocks that change threads
    SEEN = 4096,     // addresses of blocks, which may be free by now
    THREADS_MOST = 16,
    POPULATION = 10000,
    ASIDE_MOST = 256,       // blocks that may stay set aside, beside four page runs
    ASIDE_BYTES = 8 << 20,  // and their bytes
    PAGES_OF_SLAB = SLAB_SIZE / PAGE_SIZE_BYTES,
};

typedef struct {
    char* p;
    size_t size;
} Block;

typedef struct {
    Random random;
    uint64_t frees;
    bool harmless;    // writes 0 instead of links
    SlabNumber slab;  // the walk over all blocks of the heap has come here
    uint32_t place;   // and to this block
    void* freed;      // the block that was freed last
    Block slots[SLOTS];
} Lane;

static Lane lanes[THREADS_MOST];
static _Atomic(void*) seen[SEEN];
static _Atomic(Block*) exchange[EXCHANGE];
static Block spare[EXCHANGE];

// --- what the first words decode to

static uint32_t places_of(SlabNumber s, size_t* step) {
    uint64_t tag = word_tag(load_relaxed(&hak_heap.owner[s]));
    if (tag_is_class(tag)) {
        unsigned size_class = (unsigned)(tag / TAG_PER_CLASS);
        *step = size_of_class(size_class);
        return class_capacity(size_class);
    }
    *step = PAGE_SIZE_BYTES;
    return tag_is_runs(tag) ? PAGES_OF_SLAB : tag != 0 ? 1 : 0;
}

// The next block of the heap, slab by slab.
static const char* walk(Lane* lane) {
    for (uint32_t tries = 0; tries < 4096; tries++) {
        size_t step = 0;
        if (lane->slab < load_relaxed(&hak_heap.slabs) && lane->place < places_of(lane->slab, &step))
            return (const char*)slab_address(lane->slab) + step * lane->place++;
        lane->place = 0;
        lane->slab = lane->slab + 1 < load_relaxed(&hak_heap.slabs) ? lane->slab + 1 : 1;
    }
    return NULL;
}

static const void* target(Lane* lane, const Block* b) {
    switch (random_below(&lane->random, 8)) {
    case 0: return b->p;
    case 1: return lane->freed;
    case 2: return b->p + b->size;
    case 3: return lane->slots[random_below(&lane->random, SLOTS)].p;
    case 4:
    case 5: return atomic_load_explicit(&seen[random_below(&lane->random, SEEN)], memory_order_relaxed);
    default: return walk(lane);
    }
}

// NULL decodes to the end of a list.
static void write_link(Lane* lane, const Block* b) {
    uint64_t word = lane->harmless ? 0 : link_encode(target(lane, b));
    memcpy(b->p, &word, sizeof word);
}

// --- blocks

static size_t random_size(Random* r) {
    uint64_t kind = random_below(r, 1000);
    if (kind < 850) return 8 + random_below(r, 1017);
    if (kind < 990) return 1025 + random_below(r, 16384 - 1025);
    if (kind < 999) return 16385 + random_below(r, 300000);
    return (1 << 20) + 1 + random_below(r, 1 << 20);
}

static Block noted(Lane* lane, void* p, size_t size) {
    CHECK(p != NULL, "no memory for %zu bytes", size);
    Block b = {p, hak_malloc_usable_size(p)};
    shadow_add(b.p, b.size);
    atomic_store_explicit(&seen[random_below(&lane->random, SEEN)], p, memory_order_relaxed);
    return b;
}

static Block take(Lane* lane) {
    size_t size = random_size(&lane->random);
    return noted(lane, hak_malloc(size), size);
}

static void give(Lane* lane, Block* b) {
    if (b->p == NULL) return;
    write_link(lane, b);
    shadow_remove(b->p, b->size);
    lane->freed = b->p;
    hak_free(b->p);
    lane->frees++;
    b->p = NULL;
}

static void resize(Lane* lane, Block* b) {
    size_t size = random_size(&lane->random);
    write_link(lane, b);
    shadow_remove(b->p, b->size);
    *b = noted(lane, hak_realloc(b->p, size), size);
    lane->frees++;
}

static void trade(Lane* lane, Block* mine) {
    _Atomic(Block*)* cell = &exchange[random_below(&lane->random, EXCHANGE)];
    Block* theirs = atomic_exchange(cell, NULL);
    if (theirs == NULL) return;  // another thread is trading there
    Block kept = *theirs;
    *theirs = *mine;
    *mine = kept;
    atomic_store(cell, theirs);
}

static void* run_lane(void* argument) {
    Lane* lane = argument;
    uint64_t wanted = lane->frees;
    lane->frees = 0;
    while (lane->frees < wanted) {
        Block* b = &lane->slots[random_below(&lane->random, SLOTS)];
        uint64_t kind = random_below(&lane->random, 16);
        if (kind == 0) trade(lane, b);
        if (b->p == NULL)
            *b = take(lane);
        else if (kind == 1)
            resize(lane, b);
        else
            give(lane, b);
    }
    for (unsigned i = 0; i < SLOTS; i++) give(lane, &lane->slots[i]);
    return NULL;
}

// --- phases

typedef struct {
    hak_stats_t at_rest, full;
} Memory;

static hak_stats_t statistics(void) {
    hak_stats_t stats;
    CHECK(hak_stats(&stats, sizeof stats) == 0, "hak_stats");
    CHECK(stats.allocated <= stats.active && stats.active <= stats.mapped, "%llu allocated, %llu active, %llu mapped",
          (unsigned long long)stats.allocated, (unsigned long long)stats.active, (unsigned long long)stats.mapped);
    return stats;
}

// The memory that the same blocks take, each time.
static hak_stats_t populate(uint64_t seed) {
    static Block blocks[POPULATION];
    Lane* lane = &lanes[0];
    lane->random.state = seed;
    lane->harmless = true;
    for (unsigned i = 0; i < POPULATION; i++) blocks[i] = take(lane);
    hak_stats_t full = statistics();
    for (unsigned i = 0; i < POPULATION; i++) give(lane, &blocks[i]);
    return full;
}

static Memory run(uint64_t seed, uint64_t frees, unsigned threads, bool harmless) {
    pthread_t handles[THREADS_MOST];
    for (unsigned t = 0; t < threads; t++) {
        lanes[t].random.state = seed * 1000003 + t;
        lanes[t].frees = frees / threads + 1;
        lanes[t].harmless = harmless;
        handles[t] = test_thread(run_lane, &lanes[t]);
    }
    for (unsigned t = 0; t < threads; t++) pthread_join(handles[t], NULL);
    for (unsigned i = 0; i < EXCHANGE; i++) give(&lanes[0], &spare[i]);
    test_check_heap();
    hak_trim(0);
    Memory memory = {.at_rest = statistics()};
    memory.full = populate(seed);
    hak_trim(0);
    return memory;
}

static uint64_t counter(const char* key) {
    static char text[65536];
    size_t length = hak_stats_json(text, sizeof text);
    CHECK(length < sizeof text, "hak_stats_json wants %zu bytes", length);
    const char* at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void expect_little_more(const char* what, uint64_t before, uint64_t after, uint64_t more) {
    test_say("%s: %llu after harmless content, %llu after links", what, (unsigned long long)before,
             (unsigned long long)after);
    CHECK(after <= before + more, "%s: %llu became %llu", what, (unsigned long long)before, (unsigned long long)after);
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    uint64_t frees = test_argument(argc, argv, 2, 1000000);
    unsigned threads = (unsigned)test_argument(argc, argv, 3, 4);
    if (seed == 0) seed = test_random_seed();
    test_start("adversarial_content", seed);
    CHECK(threads >= 1 && threads <= THREADS_MOST, "%u threads: choose 1 to %d", threads, THREADS_MOST);
    shadow_start();
    for (unsigned i = 0; i < EXCHANGE; i++) atomic_store(&exchange[i], &spare[i]);
    Memory before = run(seed, 100000, threads, true);
    Memory after = run(seed, frees, threads, false);
    enum { SLACK = 1 << 20 };  // which slabs are used up differs from run to run
    expect_little_more("bytes allocated", before.at_rest.allocated, after.at_rest.allocated, ASIDE_BYTES + SLACK);
    expect_little_more("slabs", before.at_rest.slabs, after.at_rest.slabs, ASIDE_MOST);
    expect_little_more("bytes active with the same blocks", before.full.active, after.full.active, ASIDE_BYTES + SLACK);
    uint64_t alarms = counter("\"free_refused\":"), aside = counter("\"free_set_aside\":");
    CHECK(alarms == 0, "%llu frees were reported", (unsigned long long)alarms);
    CHECK(aside <= 2 * frees, "%llu blocks set aside", (unsigned long long)aside);
    test_check_heap();
    test_say("adversarial_content: ok, %llu frees, %llu set aside", (unsigned long long)frees,
             (unsigned long long)aside);
    return 0;
}
