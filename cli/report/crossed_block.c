#include "report/crossed_block.h"

#include "base/json.h"
#include "base/path.h"
#include "front/others.h"
#include "report/signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_HEADER = 16, CHUNK_LEAST = 32, PAGE = 4096, FRAMES_BYTES = 4096 };

// To the C library

static bool is_libc(const json_t* frame) {
    const char* module = json_get_text(frame, "module");
    const char* name = module != NULL ? path_file_name(module) : NULL;
    return name != NULL && (strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-", 5) == 0);
}

// The function of the C library's malloc that the thread was in, with only the C library below it. NULL: none.
static const char* libc_function(const json_t* backtrace) {
    static const char* const names[] = {"free",           "cfree",        "__libc_free",  "realloc",
                                        "__libc_realloc", "reallocarray", "__libc_cfree", "malloc_usable_size"};
    size_t i;
    json_t* frame;
    json_array_foreach(backtrace, i, frame) {
        const char* symbol = json_get_text(frame, "symbol");
        if (!is_libc(frame)) return NULL;
        for (size_t n = 0; symbol != NULL && n < sizeof names / sizeof names[0]; n++) {
            if (strcmp(symbol, names[n]) == 0) return names[n];
        }
    }
    return NULL;
}

static bool is_live_start(const struct heap_place* place) {
    bool live = place->kind == HEAP_HUGE || (place->kind == HEAP_RUN && !place->cached) ||
                (place->kind == HEAP_BLOCK && place->state == BLOCK_LIVE_OR_CACHED);
    return live && place->offset == 0;
}

// The C library uses the address of its header, which is before the block.
static bool note_block(struct crossed_block* found, struct heap_view* heap, uint64_t value) {
    for (unsigned header = 0; header <= CHUNK_HEADER; header += CHUNK_HEADER) {
        struct heap_place place = heap_view_find(heap, value + header);
        if (!is_live_start(&place)) continue;
        json_t* json = heap_place_json(&place);
        found->block = value + header;
        snprintf(found->text, sizeof found->text, "%s", json_get_text(json, "text"));
        json_decref(json);
        return true;
    }
    return false;
}

// In a register, or in the top frames of the stack, which are those of the C library.
static void find_block(struct crossed_block* found, const CrashRecord* record, struct heap_view* heap) {
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL && note_block(found, heap, record->registers[i])) return;
    }
    for (uint64_t at = 0; at + sizeof at <= record->stack_bytes && at < FRAMES_BYTES; at += sizeof at) {
        uint64_t value;
        memcpy(&value, record->stack + at, sizeof value);
        if (note_block(found, heap, value)) return;
    }
}

static bool to_libc(struct crossed_block* found, const struct crossed_block_input* of) {
    const char* function = libc_function(of->backtrace);
    if (of->record == NULL || of->check != NULL || function == NULL) return false;
    found->crossing = CROSSED_TO_LIBC;
    snprintf(found->function, sizeof found->function, "%s", function);
    find_block(found, of->record, of->heap);
    return true;
}

// From the C library

// A chunk has its size before it, with three flags. A chunk of a thread's arena lies in 64 MiB that have a header of
// their own. A large chunk has pages of its own. All others lie in the memory that grows by brk, which is never used by
// our heap.
static uint64_t chunk_bytes(const struct heap_view* heap, const struct mapping* mapping, uint64_t block) {
    enum { IN_USE = 1, MAPPED = 2, OF_ARENA = 4, FLAGS = 7 };
    const uint64_t arena = UINT64_C(64) << 20;
    uint64_t header[2], head[2];
    if (block % CHUNK_HEADER != 0 || block - mapping->start < CHUNK_HEADER) return 0;
    if (!process_memory_read(&heap->memory, block - CHUNK_HEADER, header, sizeof header)) return 0;
    uint64_t bytes = header[1] & ~(uint64_t)FLAGS, chunk = block - CHUNK_HEADER;
    if (bytes < CHUNK_LEAST || bytes % CHUNK_HEADER != 0 || bytes > mapping->end - chunk) return 0;
    if (header[1] & MAPPED) return chunk % PAGE == 0 && bytes % PAGE == 0 && header[0] == 0 ? bytes : 0;
    if (strcmp(mapping->path, "[heap]") == 0) return bytes;
    bool of_arena = header[1] & OF_ARENA && process_memory_read(&heap->memory, block & -arena, head, sizeof head) &&
                    procmaps_find(heap->maps, head[0]) != NULL;
    return of_arena ? bytes : 0;
}

static bool from_libc(struct crossed_block* found, const struct crossed_block_input* of) {
    if (of->check == NULL || strcmp(of->check->check, "invalid_free") != 0) return false;
    const char* address = strstr(of->check->line, " 0x");
    uint64_t block = address != NULL ? strtoull(address + 1, NULL, 16) : 0;
    const struct mapping* mapping = procmaps_find(of->heap->maps, block);
    bool anonymous = mapping != NULL && (mapping->path[0] == '\0' || strcmp(mapping->path, "[heap]") == 0);
    found->bytes = anonymous ? chunk_bytes(of->heap, mapping, block) : 0;
    if (found->bytes == 0 && strstr(of->check->line, OTHERS_WORDS) == NULL) return false;
    found->crossing = found->bytes != 0 ? CROSSED_FROM_LIBC : CROSSED_FROM_OTHER;
    found->block = block;
    snprintf(found->function, sizeof found->function, "%s", of->check->site);
    snprintf(found->text, sizeof found->text, "%s",
             mapping == NULL            ? "memory that is not mapped"
             : mapping->path[0] == '\0' ? "anonymous memory"
                                        : mapping->path);
    return true;
}

struct crossed_block crossed_block_find(const struct crossed_block_input* of) {
    struct crossed_block found = {.crossing = CROSSED_NOT};
    if (!to_libc(&found, of)) from_libc(&found, of);
    return found;
}
