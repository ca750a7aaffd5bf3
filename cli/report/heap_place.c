// A place in the heap, in words and as JSON.
#include "report/heap_view.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char* kind_name(enum heap_kind kind) {
    static const char* const names[] = {
        [HEAP_UNKNOWN] = "unknown",     [HEAP_FOREIGN] = "foreign",
        [HEAP_TABLE] = "table",         [HEAP_CONTROL_BLOCK] = "control_block",
        [HEAP_FREE_UNIT] = "free_unit", [HEAP_FREE_SLAB] = "free_slab",
        [HEAP_BLOCK] = "block",         [HEAP_SLAB] = "slab",
        [HEAP_TAIL] = "slab_tail",      [HEAP_RUN] = "page_run",
        [HEAP_FREE_PAGE] = "free_page", [HEAP_HUGE] = "huge_block",
        [HEAP_NOTHING] = "zero_bytes",
    };
    return names[kind];
}

static const char* state_name(enum block_state state) {
    static const char* const names[] = {
        [BLOCK_UNKNOWN] = "unknown",
        [BLOCK_NEVER_USED] = "never_used",
        [BLOCK_ON_FREE_LIST] = "free_list",
        [BLOCK_ON_REMOTE_STACK] = "remote_stack",
        [BLOCK_LIVE_OR_CACHED] = "live_or_cached",
    };
    return names[state];
}

static const char* state_text(const struct heap_place* place) {
    switch (place->state) {
    case BLOCK_NEVER_USED: return "never handed out";
    case BLOCK_ON_FREE_LIST: return "on its slab's free list";
    case BLOCK_ON_REMOTE_STACK: return "freed by another thread, on its slab's remote stack";
    case BLOCK_LIVE_OR_CACHED: return "in use by the program, or in a thread's cache";
    case BLOCK_UNKNOWN: break;
    }
    return "free or in use: not known";
}

static void owner_text(const struct heap_place* place, char* out, size_t size) {
    if (!place->owned)
        snprintf(out, size, "owned by nobody");
    else if (place->owner_is_known)
        snprintf(out, size, "owned by thread %u", place->owner);
    else
        snprintf(out, size, "owned by a thread whose control block cannot be read");
}

static void block_text(const struct heap_place* place, char* out, size_t size) {
    char owner[64];
    owner_text(place, owner, sizeof owner);
    snprintf(out, size,
             "%" PRIu64 " bytes into block 0x%" PRIx64 ", %s; it is number %" PRIu64 " of slab %u (blocks of %" PRIu64
             " bytes, SuperSlab %u, %s)",
             place->offset, place->block, state_text(place), place->index, place->slab, place->block_size,
             place->superslab, owner);
}

static void slab_text(const struct heap_place* place, char* out, size_t size) {
    char owner[64];
    owner_text(place, owner, sizeof owner);
    int used =
        snprintf(out, size,
                 "slab %u of SuperSlab %u, blocks of %" PRIu64
                 " bytes (class %u), %s; %u blocks handed out, %u on the free list, %u of %u cut, %u on the remote "
                 "stack",
                 place->slab, place->superslab, place->block_size, place->size_class, owner, place->used,
                 place->free_count, place->carved, place->capacity, place->remote);
    if (place->list_damage != NULL && used > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "; its free list is damaged: %s", place->list_damage);
}

static void run_text(const struct heap_place* place, char* out, size_t size) {
    char owner[64];
    owner_text(place, owner, sizeof owner);
    if (place->kind == HEAP_FREE_PAGE)
        snprintf(out, size, "a free page of SuperSlab %u of page runs, %s", place->superslab, owner);
    else
        snprintf(out, size,
                 "%" PRIu64 " bytes into the page run 0x%" PRIx64 " of %" PRIu64
                 " bytes, %s; SuperSlab %u of page runs, %s",
                 place->offset, place->block, place->block_size,
                 place->cached ? "freed, in its owner's cache" : "in use by the program", place->superslab, owner);
}

static const char* purged_text(const struct heap_place* place) {
    return place->purged ? ", its memory given back to the system or never used" : ", its memory still there";
}

static void place_text(const struct heap_place* place, char* out, size_t size) {
    switch (place->kind) {
    case HEAP_UNKNOWN: snprintf(out, size, "in the heap, whose tables cannot be read"); return;
    case HEAP_FOREIGN: snprintf(out, size, "not the allocator's memory"); return;
    case HEAP_CONTROL_BLOCK:
        snprintf(out, size, "the control block of thread %u, offset 0x%" PRIx64, place->owner, place->offset);
        return;
    case HEAP_TABLE:
        snprintf(out, size, "the allocator's table of %s, entry of %s %u, offset 0x%" PRIx64, place->table,
                 place->superslab != 0 ? "unit" : "slab", place->superslab + place->slab, place->offset);
        return;
    case HEAP_FREE_UNIT:
        snprintf(out, size, "freed memory: unit %u of the heap is unused%s", place->superslab, purged_text(place));
        return;
    case HEAP_FREE_SLAB:
        snprintf(out, size, "freed memory: slab %u of SuperSlab %u is unused%s", place->slab, place->superslab,
                 purged_text(place));
        return;
    case HEAP_TAIL:
        snprintf(out, size, "after the last block of slab %u of SuperSlab %u (class %u)", place->slab, place->superslab,
                 place->size_class);
        return;
    case HEAP_BLOCK: block_text(place, out, size); return;
    case HEAP_SLAB: slab_text(place, out, size); return;
    case HEAP_RUN:
    case HEAP_FREE_PAGE: run_text(place, out, size); return;
    case HEAP_NOTHING:
        snprintf(out, size, "unit %u of the heap, which serves blocks of zero bytes and is never accessible",
                 place->superslab);
        return;
    case HEAP_HUGE:
        snprintf(out, size, "%" PRIu64 " bytes into the huge block 0x%" PRIx64 " of %" PRIu64 " bytes", place->offset,
                 place->block, place->block_size);
        return;
    }
}

static void add_slab(json_t* object, const struct heap_place* place) {
    json_put_count(object, "superslab", place->superslab);
    json_put_count(object, "slab", place->slab);
    json_put_bool(object, "owned", place->owned);
    if (place->owned && place->owner_is_known) json_put_count(object, "owner", place->owner);
}

static void add_block(json_t* object, const struct heap_place* place) {
    json_put_hex(object, "block", place->block);
    json_put_count(object, "block_size", place->block_size);
    json_put_count(object, "offset", place->offset);
}

static void add_counts(json_t* object, const struct heap_place* place) {
    json_put_count(object, "class", place->size_class);
    json_put_count(object, "used", place->used);
    json_put_count(object, "free", place->free_count);
    json_put_count(object, "carved", place->carved);
    json_put_count(object, "capacity", place->capacity);
    json_put_count(object, "remote", place->remote);
    if (place->list_damage != NULL) json_put_text(object, "free_list_damage", place->list_damage);
}

json_t* heap_place_json(const struct heap_place* place) {
    char text[640];
    json_t* object = json_object();
    place_text(place, text, sizeof text);
    if (place->in_window && !place->accessible) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "; the page is %s",
                 place->mapped ? "closed to any access" : "not mapped");
    }
    json_put_text(object, "kind", kind_name(place->kind));
    json_put_text(object, "text", text);
    switch (place->kind) {
    case HEAP_BLOCK:
        add_slab(object, place);
        add_block(object, place);
        json_put_count(object, "index", place->index);
        json_put_text(object, "state", state_name(place->state));
        add_counts(object, place);
        break;
    case HEAP_SLAB:
        add_slab(object, place);
        json_put_count(object, "block_size", place->block_size);
        add_counts(object, place);
        break;
    case HEAP_RUN:
        add_slab(object, place);
        add_block(object, place);
        json_put_bool(object, "cached", place->cached);
        break;
    case HEAP_HUGE: add_block(object, place); break;
    case HEAP_FREE_UNIT:
    case HEAP_FREE_SLAB:
    case HEAP_FREE_PAGE:
    case HEAP_TAIL:
        add_slab(object, place);
        json_put_bool(object, "purged", place->purged);
        break;
    case HEAP_CONTROL_BLOCK: json_put_count(object, "thread", place->owner); break;
    case HEAP_NOTHING:
    case HEAP_UNKNOWN:
    case HEAP_FOREIGN:
    case HEAP_TABLE: break;
    }
    return object;
}
