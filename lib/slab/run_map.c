#include "slab/run_map.h"

#include <string.h>

static uint16_t length_of(const void* block) {
    return load_relaxed(&run_map_at(run_first_slab(block))->length[run_page_of(block)]);
}

uint32_t run_pages(const void* block) {
    uint16_t length = length_of(block);
    return length == 0 || length > RUN_PAGES ? 0 : (uint32_t)length - run_map_at(run_first_slab(block))->gap;
}

uint32_t run_cached_pages(const void* block) {
    uint16_t length = length_of(block);
    return length & RUN_IS_CACHED ? (length & RUN_PAGES) - run_map_at(run_first_slab(block))->gap : 0;
}

void run_map_init(RunMap* map, bool clean) {
    memset(map, 0, sizeof *map);
    run_map_mark_free(map, 0, PAGES_PER_UNIT, true);
    map->clean_from = clean ? 0 : PAGES_PER_UNIT;
}

RunFit run_map_fit_from(const RunMap* map, uint32_t first, uint32_t pages, uint32_t align) {
    for (uint32_t start = 0, end; start < PAGES_PER_UNIT; start = end) {
        end = start + run_map_pages_at(map, start);
        uint32_t page = (uint32_t)align_up(start < first ? first : start, align);
        if (run_map_free_from(map, start) && page + pages <= end) return (RunFit){page, start, end};
    }
    return (RunFit){PAGES_PER_UNIT, 0, 0};
}
