#include "slab/run_map.h"

#include "superslab/page_bits.h"

#include <string.h>

// --- bit runs

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

// --- the map

static uint16_t length_of(const void* block) {
    return load_relaxed(&run_map_at(run_first_slab(block))->length[run_page_of(block)]);
}

uint32_t run_pages(const void* block) {
    uint16_t length = length_of(block);
    return length == 0 || length & RUN_IS_CACHED ? 0 : (uint32_t)length - run_map_at(run_first_slab(block))->gap;
}

uint32_t run_cached_pages(const void* block) {
    uint16_t length = length_of(block);
    return length & RUN_IS_CACHED ? (length & (RUN_IS_CACHED - 1u)) - run_map_at(run_first_slab(block))->gap : 0;
}

void run_map_init(RunMap* map, bool clean) {
    memset(map, 0, sizeof *map);
    page_bits_write(map->free, 0, PAGES_PER_UNIT, true);
    page_bits_write(map->dirty, 0, PAGES_PER_UNIT, !clean);
    map->longest = PAGES_PER_UNIT;
}

static uint32_t longest_except(const RunMap* map, uint32_t start) {
    uint32_t longest = 0;
    for (uint32_t from = 0, end; (from = page_bits_next(map->free, from, true)) < PAGES_PER_UNIT; from = end) {
        end = page_bits_next(map->free, from, false);
        if (from != start && end - from > longest) longest = end - from;
    }
    return longest;
}

uint16_t run_map_longest(const RunMap* map) {
    return (uint16_t)longest_except(map, PAGES_PER_UNIT);
}

// A unit has a larger alignment than any run. An exact fit ends the search, unless it may be the longest run.
RunFit run_map_fit(const RunMap* map, uint32_t pages, uint32_t align) {
    RunFit best = {.page = PAGES_PER_UNIT};
    uint32_t best_length = UINT32_MAX;
    for (uint32_t from = 0; (from = page_bits_next(map->free, from, true)) < PAGES_PER_UNIT;) {
        uint32_t end = page_bits_next(map->free, from, false), at = (uint32_t)align_up(from, align),
                 length = end - from;
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

RunFit run_map_fit_from(const RunMap* map, uint32_t first, uint32_t pages, uint32_t align) {
    for (uint32_t from = first, end; (from = page_bits_next(map->free, from, true)) < PAGES_PER_UNIT; from = end) {
        end = page_bits_next(map->free, from, false);
        uint32_t at = (uint32_t)align_up(from, align);
        if (at + pages > end) continue;
        uint32_t start = run_start(map->free, end);
        return (RunFit){at, start, end, longest_except(map, start)};
    }
    return (RunFit){.page = PAGES_PER_UNIT};
}

bool run_map_is_clean(const RunMap* map, uint32_t page, uint32_t pages) {
    return page_bits_next(map->dirty, page, true) >= page + pages;
}

void run_map_occupy(RunMap* map, uint32_t page, uint32_t pages) {
    page_bits_write(map->free, page, pages, false);
    page_bits_write(map->dirty, page, pages, true);
}

uint32_t run_map_release(RunMap* map, uint32_t page, uint32_t pages) {
    page_bits_write(map->free, page, pages, true);
    return page_bits_next(map->free, page, false) - run_start(map->free, page);
}

uint32_t run_map_free_from(const RunMap* map, uint32_t page) {
    return page_bits_next(map->free, page, false) - page;
}
