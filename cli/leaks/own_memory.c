#include "leaks/own_memory.h"

#include "binary/segments.h"
#include "guard/quarantine.h"
#include "report/heap_view.h"
#include "report/page_view.h"
#include "stack/stack_table.h"

#include <string.h>

static bool read_at(const struct heap_view* view, uint64_t address, void* out, size_t bytes) {
    return address != 0 && process_memory_read(&view->memory, address, out, bytes);
}

// The first bytes of the file are the first in memory, and are in its first mapping.
static void add_library(const char* path, const struct procmaps* maps, struct ranges* ranges) {
    struct segments segments;
    if (!segments_read(&segments, path)) return;
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping* mapping = &maps->mappings[i];
        if (strcmp(mapping->path, path) != 0 || mapping->offset != 0) continue;
        ranges_add(ranges, mapping->start, mapping->start + (segments.end - segments.first));
        return;
    }
}

static void add_rings(const char* folder, const struct procmaps* maps, struct ranges* ranges) {
    size_t length = strlen(folder);
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping* mapping = &maps->mappings[i];
        if (strncmp(mapping->path, folder, length) == 0 && mapping->path[length] == '/')
            ranges_add(ranges, mapping->start, mapping->end);
    }
}

static void add_window(const HakHeap* heap, struct ranges* ranges) {
    ranges_add(ranges, (uint64_t)(uintptr_t)heap->owner, heap->base + ((uint64_t)heap->mapped << UNIT_SHIFT));
}

static void add_quarantine(const struct heap_view* view, uint64_t control_block, struct ranges* ranges) {
    enum { QUARANTINE_RANGE = (QUARANTINE_BLOCKS + 2) * sizeof(Quarantined) };
    uint64_t at;
    if (read_at(view, control_block + offsetof(HakTcb, quarantine), &at, sizeof at) && at != 0)
        ranges_add(ranges, at, at + QUARANTINE_RANGE);
}

static void add_control_blocks(const struct heap_view* view, uint64_t root, struct ranges* ranges) {
    enum { THREADS_MAX = 1 << 20 };
    uint64_t newest = 0, at = 0;
    if (!read_at(view, root + offsetof(HakGuardRoot, threads), &newest, sizeof newest)) return;
    bool more = read_at(view, newest, &at, sizeof at);
    for (size_t i = 0; i < THREADS_MAX && more && at != 0; i++) {
        ranges_add(ranges, at, at + sizeof(HakTcb));
        add_quarantine(view, at, ranges);
        more = read_at(view, at + offsetof(HakTcb, next_all), &at, sizeof at);
    }
}

static void add_records(const struct heap_view* view, uint64_t root, struct ranges* ranges) {
    static uint64_t chunks[HAK_GUARD_CHUNK], units[HAK_GUARD_CHUNK];
    if (!read_at(view, root + offsetof(HakGuardRoot, chunk), chunks, sizeof chunks)) return;
    for (size_t c = 0; c < HAK_GUARD_CHUNK; c++) {
        if (!read_at(view, chunks[c], units, sizeof units)) continue;
        for (size_t u = 0; u < HAK_GUARD_CHUNK; u++)
            if (units[u] != 0) ranges_add(ranges, units[u], units[u] + sizeof(HakGuardUnit));
    }
}

static void add_pages(const struct heap_view* view, uint64_t root, struct ranges* ranges) {
    static uint64_t chunks[HAK_PAGES_CHUNKS];
    struct page_view pages;
    if (!page_view_open(&pages, &view->memory, root)) return;
    ranges_add(ranges, pages.base, pages.base + ((uint64_t)pages.extents * HAK_PAGES_EXTENT << pages.page_shift));
    if (!read_at(view, pages.root + offsetof(HakPageRoot, chunk), chunks, sizeof chunks)) return;
    for (size_t c = 0; c < HAK_PAGES_CHUNKS; c++)
        if (chunks[c] != 0) ranges_add(ranges, chunks[c], chunks[c] + sizeof(HakPageChunk));
}

static void add_stacks(const struct heap_view* view, uint64_t root, struct ranges* ranges) {
    uint64_t table;
    HakStackTable head;
    if (!read_at(view, root, &table, sizeof table) || !read_at(view, table, &head, sizeof head)) return;
    ranges_add(ranges, table,
               table + sizeof head + head.places * sizeof(uint32_t) + (uint64_t)head.words * sizeof(uint64_t));
}

void own_memory_find(const struct own_memory* own, pid_t thread, const struct procmaps* maps, struct ranges* ranges) {
    struct heap_view view;
    heap_view_open(&view, own->ring, thread, maps);
    add_library(own->library, maps, ranges);
    if (own->folder[0] != '\0')
        add_rings(own->folder, maps, ranges);
    else if (own->ring_address != 0)
        ranges_add(ranges, own->ring_address, own->ring_address + hak_ring_bytes(own->ring->records));
    if (view.problem == NULL) {
        add_window(&view.heap, ranges);
        add_control_blocks(&view, own->ring->guard, ranges);
        add_records(&view, own->ring->guard, ranges);
        add_pages(&view, own->ring->guard, ranges);
        add_stacks(&view, own->ring->stacks, ranges);
    }
    heap_view_close(&view);
}
