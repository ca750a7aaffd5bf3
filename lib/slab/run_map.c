#include "slab/run_map.h"

#include <string.h>

// --- bit runs

// First page >= from whose bit is `value`; PAGES_PER_UNIT: none.
static uint32_t next_bit(const uint64_t* bits, uint32_t from, bool value) {
    for (uint32_t w = from / 64; w < RUN_WORDS; w++) {
        uint64_t word = value ? bits[w] : ~bits[w];
        if (w == from / 64) word &= ~UINT64_C(0) << (from % 64);
        if (word) return w * 64 + lowest_bit(word);
    }
    return PAGES_PER_UNIT;
}

// First page of the run of set bits that ends before `end`.
static uint32_t run_start(const uint64_t* bits, uint32_t end) {
    uint32_t from = end;
    while (from > 0) {
        uint32_t w = (from - 1) / 64, top = (from - 1) % 64;
        uint64_t clear = ~bits[w] & (~UINT64_C(0) >> (63 - top));
        if (clear) return w * 64 + log2_floor(clear) + 1;
        from = w * 64;
    }
    return 0;
}

static void write_bits(uint64_t* bits, uint32_t from, uint32_t count, bool value) {
    while (count) {
        uint32_t w = from / 64, at = from % 64, n = 64 - at < count ? 64 - at : count;
        uint64_t mask = (n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1) << at;
        bits[w] = value ? bits[w] | mask : bits[w] & ~mask;
        from += n;
        count -= n;
    }
}

// --- the map

static uint16_t length_of(const void* block) {
    return load_relaxed(&run_map_at(run_first_slab(block))->length[run_page_of(block)]);
}

uint32_t run_pages(const void* block) {
    uint16_t length = length_of(block);
    return length & RUN_IS_CACHED ? 0 : length;
}

uint32_t run_cached_pages(const void* block) {
    uint16_t length = length_of(block);
    return length & RUN_IS_CACHED ? length & (RUN_IS_CACHED - 1u) : 0;
}

void run_map_init(RunMap* map, bool clean) {
    memset(map, 0, sizeof *map);
    write_bits(map->free, 0, PAGES_PER_UNIT, true);
    write_bits(map->dirty, 0, PAGES_PER_UNIT, !clean);
    map->longest = PAGES_PER_UNIT;
}

uint16_t run_map_longest(const RunMap* map) {
    uint32_t longest = 0;
    for (uint32_t from = 0; (from = next_bit(map->free, from, true)) < PAGES_PER_UNIT;) {
        uint32_t end = next_bit(map->free, from, false);
        if (end - from > longest) longest = end - from;
        from = end;
    }
    return (uint16_t)longest;
}

// A unit has a larger alignment than any run. An exact fit ends the search, unless it may be the longest run.
RunFit run_map_fit(const RunMap* map, uint32_t pages, uint32_t align) {
    RunFit best = {.page = PAGES_PER_UNIT};
    uint32_t best_length = UINT32_MAX;
    for (uint32_t from = 0; (from = next_bit(map->free, from, true)) < PAGES_PER_UNIT;) {
        uint32_t end = next_bit(map->free, from, false), at = (uint32_t)align_up(from, align), length = end - from;
        if (length == pages && at == from && pages < map->longest) return (RunFit){at, from, end, map->longest};
        if (at + pages <= end && length < best_length) {
            if (best.page != PAGES_PER_UNIT && best_length > best.longest_other) best.longest_other = best_length;
            best = (RunFit){at, from, end, best.longest_other};
            best_length = length;
        } else if (length > best.longest_other)
            best.longest_other = length;
        from = end;
    }
    return best;
}

bool run_map_is_clean(const RunMap* map, uint32_t page, uint32_t pages) {
    return next_bit(map->dirty, page, true) >= page + pages;
}

void run_map_occupy(RunMap* map, uint32_t page, uint32_t pages) {
    write_bits(map->free, page, pages, false);
    write_bits(map->dirty, page, pages, true);
}

uint32_t run_map_release(RunMap* map, uint32_t page, uint32_t pages) {
    write_bits(map->free, page, pages, true);
    return next_bit(map->free, page, false) - run_start(map->free, page);
}

uint32_t run_map_free_from(const RunMap* map, uint32_t page) {
    return next_bit(map->free, page, false) - page;
}
