#include "report/closed_access.h"

#include "base/json.h"
#include "report/block_record.h"
#include "report/code_place.h"
#include "report/heap_view.h"
#include "report/page_view.h"

enum { NEAR_ZERO = 0x10000 };

// On pages of their own.
static json_t* in_pages(const struct closed_access* access, const HakRingFile* ring) {
    char text[128];
    struct process_memory memory;
    struct page_view view;
    struct page_fault fault = {.kind = PAGE_NOTHING};
    process_memory_open(&memory, access->thread);
    if (page_view_open(&view, &memory, ring->guard))
        fault = page_fault_find(&view, access->address, access->registers, access->register_count);
    process_memory_close(&memory);
    if (fault.kind == PAGE_NOTHING) return NULL;
    page_fault_text(&fault, access->address, text, sizeof text);
    return json_format("%s%s", text, fault.kind == PAGE_AFTER_FREE ? ", which was freed" : "");
}

static bool in_window(const struct closed_access* access, const HakRingFile* ring) {
    struct process_memory memory;
    HakHeap heap;
    process_memory_open(&memory, access->thread);
    bool known = ring->heap != 0 && process_memory_read(&memory, ring->heap, &heap, sizeof heap);
    process_memory_close(&memory);
    return known && access->address > heap.base &&
           (access->address - heap.base) >> SLAB_SHIFT < (uint64_t)load_relaxed(&heap.slabs);
}

// A program may close blocks of its own by mprotect: those are live.
static bool is_free(const struct heap_view* heap, const HakRingFile* ring, const struct heap_place* place) {
    struct block_record held;
    if (block_record_find(&heap->memory, ring->guard, place->address, &held)) return block_record_is_dead(&held);
    switch (place->kind) {
    case HEAP_FREE_UNIT:
    case HEAP_FREE_SLAB:
    case HEAP_FREE_PAGE:
    case HEAP_NOTHING: return true;
    case HEAP_RUN: return place->cached;
    default: return false;
    }
}

static json_t* in_heap(const struct closed_access* access, const HakRingFile* ring) {
    struct procmaps maps = {0};
    struct heap_view heap;
    json_t* text = NULL;
    if (!in_window(access, ring) || !procmaps_read(&maps, access->thread)) return NULL;
    heap_view_open(&heap, ring, access->thread, &maps);
    struct heap_place place = heap_view_find(&heap, access->address);
    if (place.in_window && !place.accessible && is_free(&heap, ring, &place)) {
        json_t* json = heap_place_json(&place);
        text = json_incref(json_object_get(json, "text"));
        json_decref(json);
    }
    heap_view_close(&heap);
    procmaps_free(&maps);
    return text;
}

json_t* closed_access_where(const struct closed_access* access) {
    char place[600];
    struct procmaps maps = {0};
    if (!procmaps_read(&maps, access->thread)) return NULL;
    json_t* frame = code_place(&maps, access->pc, 0);
    code_place_text(frame, place, sizeof place);
    json_decref(frame);
    procmaps_free(&maps);
    return place[0] != '\0' ? json_text(place) : NULL;
}

json_t* closed_access_what(const struct closed_access* access, const HakRingFile* ring) {
    if (access->address < NEAR_ZERO) return NULL;
    json_t* what = in_pages(access, ring);
    return what != NULL ? what : in_heap(access, ring);
}
