// The whole API at random, against an oracle. It knows of every live block where it is, how large, and what was written
// into it. After each call it says whether the result can be right: no overlap with a live block, alignment, usable
// size, contents. Blocks change hands: a thread frees and resizes blocks of other threads, even ended ones.
//
//   property [SEED [SECONDS [THREADS]]]     SEED 0: a new one. One thread with the same seed makes the same calls.
#include "support/family.h"
#include "support/shadow.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define BLOCKS_PER_LANE 384
#define EXCHANGE 1024
#define LANES_MAX 64
#define LANE_BYTES_MAX ((size_t)96 << 20)
#define DENSE_MAX ((size_t)64 << 10)  // larger blocks are written at their ends, and once a page
#define PAGE ((size_t)4096)

typedef struct {
    char* p;  // NULL: no block
    size_t size;
    size_t usable;
    size_t align;
    uint64_t tag;
    bool whole;  // the pattern covers all usable bytes, not only those asked for
} Block;

typedef struct {
    Random random;
    unsigned index;
    size_t live_bytes;
    uint64_t operations;
    Block* blocks[BLOCKS_PER_LANE];
} Lane;

static Block block_pool[LANES_MAX * BLOCKS_PER_LANE + EXCHANGE];
static _Atomic(Block*) exchange[EXCHANGE];
static Lane lanes[LANES_MAX];
static _Atomic bool stop;

// ---- contents ----

static uint64_t pattern(uint64_t tag, size_t offset) {
    return (tag + offset) * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t covered(const Block* b) {
    return b->whole ? b->usable : b->size;
}

// The offset of the next word that the pattern covers in a block of `size` bytes.
static size_t next_offset(size_t offset, size_t size) {
    offset += 8;
    if (size <= DENSE_MAX || offset < PAGE || offset >= size - PAGE) return offset;
    size_t next_page = (offset + PAGE - 8) & ~(PAGE - 1);
    return next_page < size - PAGE ? next_page : (size - PAGE) & ~(size_t)7;
}

static void fill(Block* b) {
    size_t size = covered(b);
    for (size_t at = 0; at < size; at = next_offset(at, size)) {
        uint64_t word = pattern(b->tag, at);
        memcpy(b->p + at, &word, size - at < 8 ? size - at : 8);
    }
}

// Verifies what fill(b) wrote, in the first `limit` bytes at `p`.
static void verify(const Block* b, const char* p, size_t limit, const char* when) {
    size_t size = covered(b);
    size_t end = size < limit ? size : limit;
    for (size_t at = 0; at < end; at = next_offset(at, size)) {
        uint64_t word = pattern(b->tag, at);
        CHECK(memcmp(p + at, &word, end - at < 8 ? end - at : 8) == 0,
              "contents lost %s: block %p of %zu bytes (usable %zu, alignment %zu), offset %zu", when, (void*)b->p,
              b->size, b->usable, b->align, at);
    }
}

// ---- sizes ----

static size_t random_size(Random* r) {
    uint64_t kind = random_below(r, 1000);
    if (kind < 400) return random_below(r, 130);
    if (kind < 600) return random_below(r, 1100);
    // near the edges of any size-class table with eight classes per doubling
    unsigned top = kind < 800 ? 13 : kind < 970 ? 16 : kind < 996 ? 21 : 25;
    size_t base = (size_t)1 << (4 + random_below(r, top - 3));
    size_t size = base + base / 8 * random_below(r, 8);
    size_t off = random_below(r, 4) == 0 ? random_below(r, 65) : random_below(r, 5);
    return random_below(r, 2) != 0 && size > off ? size - off : size + off;
}

static size_t random_alignment(Random* r) {
    unsigned top = random_below(r, 50) == 0 ? 23 : random_below(r, 4) == 0 ? 17 : 10;
    return (size_t)1 << random_below(r, top);
}

// ---- operations ----

static void begin(Lane* lane, Block* b, void* p, size_t size, size_t align) {
    CHECK(p != NULL, "no memory for %zu bytes, alignment %zu (lane %u, operation %llu)", size, align, lane->index,
          (unsigned long long)lane->operations);
    CHECK(((uintptr_t)p & (align - 1)) == 0 && ((uintptr_t)p & 15) == 0, "%p for %zu bytes, alignment %zu", p, size,
          align);
    b->p = p;
    b->size = size;
    b->usable = t_usable_size(p);
    CHECK(b->usable >= size, "%p: usable size %zu, asked for %zu, alignment %zu", p, b->usable, size, align);
    b->align = align;
    b->tag = random_next(&lane->random);
    b->whole = random_below(&lane->random, 4) == 0;
    shadow_add(p, b->usable);
    fill(b);
    lane->live_bytes += size;
}

static void end(Lane* lane, Block* b) {
    verify(b, b->p, b->usable, "before it was freed");
    size_t usable = t_usable_size(b->p);
    CHECK(usable == b->usable, "%p: usable size became %zu, was %zu", (void*)b->p, usable, b->usable);
    shadow_remove(b->p, b->usable);
    lane->live_bytes = lane->live_bytes > b->size ? lane->live_bytes - b->size : 0;
}

static void release(Lane* lane, Block* b) {
    end(lane, b);
    errno = 4711;
#ifdef TEST_LINKED
    if (b->align == 16 && random_below(&lane->random, 4) == 0)
        hak_free_sized(b->p, b->size);
    else if (b->align > 16 && random_below(&lane->random, 4) == 0)
        hak_free_aligned_sized(b->p, b->align, b->size);
    else
        t_free(b->p);
#else
    t_free(b->p);
#endif
    CHECK(errno == 4711, "free(%p) of %zu bytes changed errno", (void*)b->p, b->size);
    b->p = NULL;
}

static void allocate_zeroed(Lane* lane, Block* b) {
    size_t size = random_size(&lane->random);
    size_t count = 1 + random_below(&lane->random, 4);
    unsigned char* p = t_calloc(count, size);
    CHECK(p != NULL, "calloc(%zu, %zu)", count, size);
    for (size_t i = 0; i < count * size; i++)
        CHECK(p[i] == 0, "calloc(%zu, %zu) gave %p, whose byte %zu is %u", count, size, (void*)p, i, p[i]);
    begin(lane, b, p, count * size, 16);
}

static void allocate_aligned(Lane* lane, Block* b) {
    size_t size = random_size(&lane->random);
    size_t align = random_alignment(&lane->random);
    void* p = NULL;
    switch (random_below(&lane->random, 8)) {
    case 0:
        p = t_valloc(size);
        align = PAGE;
        break;
    case 1:
        p = t_pvalloc(size);
        size = size ? (size + PAGE - 1) & ~(PAGE - 1) : PAGE;
        align = PAGE;
        break;
    case 2:
    case 3: p = t_memalign(align, size); break;
    case 4:
    case 5: {
        if (align < sizeof(void*)) align = sizeof(void*);
        int error = t_posix_memalign(&p, align, size);
        CHECK(error == 0, "posix_memalign(%zu, %zu) gave %d", align, size, error);
        break;
    }
    default: p = t_aligned_alloc(align, size);
    }
    begin(lane, b, p, size, align);
}

static void allocate(Lane* lane, Block* b) {
    uint64_t kind = random_below(&lane->random, 100);
    size_t size = random_size(&lane->random);
    if (kind < 70)
        begin(lane, b, t_malloc(size), size, 16);
    else if (kind < 83)
        allocate_zeroed(lane, b);
    else if (kind < 95)
        allocate_aligned(lane, b);
    else if (kind < 98)
        begin(lane, b, t_realloc(NULL, size), size, 16);
    else
        begin(lane, b, t_reallocarray(NULL, 3, size), 3 * size, 16);
}

static void resize(Lane* lane, Block* b) {
    Random* r = &lane->random;
    Block old = *b;
    size_t size = random_size(r);
    if (random_below(r, 2) == 0)
        size = old.size + random_below(r, old.size / 2 + 32);  // growth as of a vector
    else if (random_below(r, 4) == 0)
        size = old.size - random_below(r, old.size + 1);
    end(lane, b);
    void* p = random_below(r, 4) == 0 && size % 2 == 0 ? t_reallocarray(old.p, size / 2, 2) : t_realloc(old.p, size);
    if (size == 0) {
        CHECK(p == NULL, "realloc(%p, 0) gave %p", (void*)old.p, p);
        b->p = NULL;
        return;
    }
    CHECK(p != NULL, "realloc(%p of %zu, %zu)", (void*)old.p, old.size, size);
    // the bytes between size and usable size are not contents
    verify(&old, p, size < old.size ? size : old.size, "by realloc");
    begin(lane, b, p, size, 16);
}

static void refuse(Lane* lane, Block* b) {
    volatile size_t huge = SIZE_MAX - random_below(&lane->random, (size_t)1 << 62);
    errno = 0;
    void* p = random_below(&lane->random, 2) != 0 ? t_malloc(huge) : t_realloc(b->p, huge);
    CHECK(p == NULL && errno == ENOMEM, "%zu bytes gave %p", huge, p);
    volatile size_t half = (size_t)1 << 33;
    errno = 0;
    p = random_below(&lane->random, 2) != 0 ? t_calloc(half, half) : t_reallocarray(b->p, half, half);
    CHECK(p == NULL && errno == ENOMEM, "2^33 * 2^33 bytes gave %p", p);
    if (b->p != NULL) verify(b, b->p, b->usable, "by a realloc that failed");
}

static void operate(Lane* lane) {
    Random* r = &lane->random;
    size_t i = random_below(r, BLOCKS_PER_LANE);
    Block* b = lane->blocks[i];
    lane->operations++;
    uint64_t kind = random_below(r, 1000);
    if (kind < 3)
        refuse(lane, b);
    else if (kind < 100)
        lane->blocks[i] = atomic_exchange(&exchange[random_below(r, EXCHANGE)], b);
    else if (kind < 150 && b->p != NULL)
        verify(b, b->p, b->usable, "while it was live");
    else if (b->p == NULL)
        allocate(lane, b);
    else if (kind < 300 && lane->live_bytes < LANE_BYTES_MAX)
        resize(lane, b);
    else
        release(lane, b);
    // blocks from the exchange are not counted in live_bytes: now and then start from nothing
    if (lane->live_bytes > LANE_BYTES_MAX || random_below(r, 20000) == 0) {
        for (i = 0; i < BLOCKS_PER_LANE; i++)
            if (lane->blocks[i]->p != NULL) release(lane, lane->blocks[i]);
        lane->live_bytes = 0;
        if (random_below(r, 4) == 0) t_trim(0);
    }
}

// ---- threads ----

static void* generation(void* argument) {
    Lane* lane = argument;
    uint64_t length = (uint64_t)1 << random_below(&lane->random, 16);
    for (uint64_t i = 0; i < length && !atomic_load(&stop); i++) operate(lane);
    return NULL;
}

// A lane is a series of threads. Each inherits the blocks of the one before.
static void* run_lane(void* argument) {
    while (!atomic_load(&stop)) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, generation, argument);
        CHECK(error == 0, "pthread_create gave %d", error);
        pthread_join(thread, NULL);
    }
    return NULL;
}

int main(int argc, char** argv) {
    uint64_t seed = test_argument(argc, argv, 1, 0);
    uint64_t seconds = test_argument(argc, argv, 2, 5);
    unsigned threads = (unsigned)test_argument(argc, argv, 3, 4);
    if (seed == 0) seed = test_random_seed();
    test_start("property", seed);
    CHECK(threads >= 1 && threads <= LANES_MAX, "%u threads: choose 1 to %d", threads, LANES_MAX);
    shadow_start();

    Block* next = block_pool;
    for (size_t i = 0; i < EXCHANGE; i++) atomic_store(&exchange[i], next++);
    for (unsigned t = 0; t < threads; t++) {
        lanes[t].index = t;
        lanes[t].random.state = seed * 1000003 + t;
        for (size_t i = 0; i < BLOCKS_PER_LANE; i++) lanes[t].blocks[i] = next++;
    }

    pthread_t handles[LANES_MAX];
    for (unsigned t = 0; t < threads; t++) {
        int error = pthread_create(&handles[t], NULL, run_lane, &lanes[t]);
        CHECK(error == 0, "pthread_create gave %d", error);
    }
    double end_time = now_seconds() + (double)seconds;
    while (now_seconds() < end_time) sleep_ms(20);
    atomic_store(&stop, true);
    uint64_t operations = 0;
    for (unsigned t = 0; t < threads; t++) {
        pthread_join(handles[t], NULL);
        operations += lanes[t].operations;
    }
    test_check_heap();
    for (Block* b = block_pool; b < next; b++)
        if (b->p != NULL) release(&lanes[0], b);
    test_check_heap();
    CHECK(operations > 0, "nothing was done");
    test_say("property: ok, %llu operations in %u threads", (unsigned long long)operations, threads);
    return 0;
}
