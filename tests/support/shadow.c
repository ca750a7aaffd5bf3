#include "support/shadow.h"

#include "support/test.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define GRANULE_SHIFT 4  // 16 bytes
#define REGION_SHIFT 21  // one bitmap for 2 MiB
#define ADDRESS_BITS 47
#define REGIONS ((size_t)1 << (ADDRESS_BITS - REGION_SHIFT))
#define REGION_WORDS ((size_t)1 << (REGION_SHIFT - GRANULE_SHIFT - 6))

typedef _Atomic uint64_t Word;

static _Atomic(Word*)* regions;

static void* map(size_t bytes) {
    void* p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED, "no %zu bytes for the shadow map", bytes);
    return p;
}

void shadow_start(void) {
    regions = map(REGIONS * sizeof *regions);
}

static Word* region_of(uintptr_t address) {
    size_t i = address >> REGION_SHIFT;
    CHECK(i < REGIONS, "block at %#lx", (unsigned long)address);
    Word* words = atomic_load(&regions[i]);
    if (words != NULL) return words;
    Word* fresh = map(REGION_WORDS * sizeof *fresh);
    if (atomic_compare_exchange_strong(&regions[i], &words, fresh)) return fresh;
    munmap(fresh, REGION_WORDS * sizeof *fresh);
    return words;
}

static void change(const void* p, size_t size, bool add) {
    uintptr_t granule = (uintptr_t)p >> GRANULE_SHIFT;
    uintptr_t end = ((uintptr_t)p + size + 15) >> GRANULE_SHIFT;
    while (granule < end) {
        unsigned bit = granule & 63;
        uint64_t count = end - granule < 64 - bit ? end - granule : 64 - bit;
        uint64_t mask = (count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << bit;
        Word* words = region_of(granule << GRANULE_SHIFT);
        Word* word = &words[(granule >> 6) & (REGION_WORDS - 1)];
        uint64_t before = add ? atomic_fetch_or(word, mask) : atomic_fetch_and(word, ~mask);
        CHECK((before & mask) == (add ? 0 : mask), "block %p of %zu bytes overlaps a live block near %#lx", p, size,
              (unsigned long)(granule << GRANULE_SHIFT));
        granule += count;
    }
}

void shadow_add(const void* p, size_t size) {
    change(p, size, true);
}

void shadow_remove(const void* p, size_t size) {
    change(p, size, false);
}
