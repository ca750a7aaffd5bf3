#include "report/block_past.h"

#include "base/json.h"
#include "report/block_record.h"
#include "report/code_place.h"
#include "report/hidden_text.h"
#include "report/noted_stack.h"
#include "report/signals.h"
#include "stack/unwind.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MAX = 8, FREED_SHOWN_MAX = 3, STACK_WORDS = 512, VARIABLE_BYTES_MAX = 1 << 20, NEAR_ZERO = 0x10000 };

// One block

static const char* state_name(uint64_t word) {
    static const char* const names[] = {
        [HAK_GUARD_NONE] = "unknown",
        [HAK_GUARD_LIVE] = "in use",
        [HAK_GUARD_CHANGING] = "being allocated, resized or freed",
        [HAK_GUARD_QUARANTINED] = "freed",
        [HAK_GUARD_FREE] = "freed",
        [HAK_GUARD_CHECKED] = "in use",
    };
    return names[guard_state(word) <= HAK_GUARD_CHECKED ? guard_state(word) : HAK_GUARD_NONE];
}

static const char* family_name(uint64_t word) {
    switch (guard_family(word)) {
    case HAK_GUARD_NEW: return "new";
    case HAK_GUARD_NEW_ARRAY: return "new[]";
    case HAK_GUARD_MALLOC: break;
    }
    return "the malloc family";
}

static bool is_code(const struct procmaps* maps, uint64_t address) {
    const struct mapping* mapping = procmaps_find(maps, address);
    return mapping != NULL && mapping->permissions[2] == 'x';
}

// Who allocated or freed a block, and when; `site` is all that is known if the process had no room for the stack.
struct act {
    uint32_t thread, stack;
    uint64_t clock, site;
};

static json_t* frames_json(const struct block_past_input* input, const struct act* act) {
    uint64_t addresses[STACK_DEPTH_MAX] = {act->site};
    size_t count = noted_stack_read(input->memory, input->stacks, act->stack, addresses, STACK_DEPTH_MAX);
    if (count == 0) count = 1;
    json_t* frames = json_array();
    for (size_t i = 0; i < count && is_code(input->maps, addresses[i]); i++)
        json_array_append_new(frames, code_place(input->maps, addresses[i], 1));
    return frames;
}

static json_t* act_json(const struct block_past_input* input, const struct act* of) {
    json_t* act = json_object();
    json_put_whole(act, "thread", of->thread);
    json_put_whole(act, "os_tid", rings_os_tid_of(input->rings, of->thread, of->clock));
    json_put_real(act, "time", rings_time(input->rings, of->clock));
    json_object_set_new(act, "at", frames_json(input, of));
    return act;
}

static json_t* past_json(const struct block_past_input* input, const char* of, const struct block_record* found) {
    const HakGuardRecord* record = &found->record;
    uint64_t word = load_relaxed(&record->word);
    json_t* past = json_object();
    json_put_text(past, "of", of);
    json_put_hex(past, "address", found->block);
    json_put_count(past, "size", guard_size(word));
    json_put_text(past, "state", state_name(word));
    json_put_text(past, "family", family_name(word));
    const struct act allocated = {record->alloc_thread, record->alloc_stack, record->alloc_clock, record->alloc_site};
    const struct act freed = {record->free_thread, record->free_stack, record->free_clock, record->free_site};
    json_object_set_new(past, "allocated", act_json(input, &allocated));
    json_object_set_new(past, "freed", block_record_is_dead(found) ? act_json(input, &freed) : json_null());
    return past;
}

// The list

struct listing {
    const struct block_past_input* input;
    json_t* list;
    size_t freed;
};

static bool is_listed(const json_t* list, uint64_t block) {
    size_t i;
    json_t* past;
    json_array_foreach(list, i, past) {
        if (strtoull(json_get_text(past, "address"), NULL, 16) == block) return true;
    }
    return false;
}

static void add(struct listing* listing, const char* of, uint64_t address, bool only_freed) {
    struct block_record found;
    if (address < NEAR_ZERO || !is_canonical(address) || json_array_size(listing->list) >= BLOCKS_MAX ||
        !block_record_find(listing->input->memory, listing->input->root, address, &found))
        return;
    bool freed = block_record_is_dead(&found);
    if ((only_freed && !freed) || is_listed(listing->list, found.block)) return;
    json_array_append_new(listing->list, past_json(listing->input, of, &found));
    listing->freed += freed;
}

static void add_from_words(struct listing* listing) {
    static const char sign[] = " block 0x";
    for (const char* at = listing->input->words; (at = strstr(at, sign)) != NULL;) {
        at += sizeof sign - 3;
        add(listing, BLOCK_PAST_CHECK, strtoull(at, NULL, 16), false);
    }
}

static void add_from_registers(struct listing* listing) {
    const CrashRecord* record = listing->input->record;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL) add(listing, register_name(i), record->registers[i], false);
    }
}

static bool wants_more(const struct listing* listing) {
    return listing->freed < FREED_SHOWN_MAX && json_array_size(listing->list) < BLOCKS_MAX;
}

// For a bad pointer: it may have been read out of a freed block, and no register may still point to that block.
static bool has_bad_pointer(const CrashRecord* record) {
    if (record->code > 0 && hidden_poison(record->fault_address, HIDDEN_POISON)) return true;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL && !is_canonical(record->registers[i])) return true;
    }
    return false;
}

static void add_from_stack(struct listing* listing) {
    const CrashRecord* record = listing->input->record;
    for (size_t i = 0; i < STACK_WORDS && (i + 1) * 8 <= record->stack_bytes && wants_more(listing); i++) {
        uint64_t word;
        memcpy(&word, record->stack + i * 8, sizeof word);
        add(listing, "a word on the stack", word, true);
    }
}

static void add_from_mapping(struct listing* listing, const struct mapping* mapping, uint64_t bytes) {
    static uint64_t words[4096 / 8];
    for (uint64_t at = 0; at + sizeof words <= bytes && wants_more(listing); at += sizeof words) {
        if (!process_memory_read(listing->input->memory, mapping->start + at, words, sizeof words)) continue;
        for (size_t i = 0; i < sizeof words / sizeof words[0] && wants_more(listing); i++)
            add(listing, "a variable of the program", words[i], true);
    }
}

// The memory of the program itself, which is the first mapped file. Unnamed memory right after its data holds its
// variables without initial value.
static void add_from_variables(struct listing* listing) {
    const struct procmaps* maps = listing->input->maps;
    const char* program = NULL;
    uint64_t end = 0, left = VARIABLE_BYTES_MAX;
    for (size_t i = 0; i < maps->count && left > 0; i++) {
        const struct mapping* mapping = &maps->mappings[i];
        if (program == NULL && mapping->path[0] == '/') program = mapping->path;
        bool own = program != NULL && strcmp(mapping->path, program) == 0;
        bool behind = mapping->path[0] == '\0' && mapping->start == end && end != 0;
        if (!own && !behind) continue;
        end = mapping->end;
        uint64_t bytes = mapping->end - mapping->start < left ? mapping->end - mapping->start : left;
        if (mapping->permissions[1] != 'w') continue;
        add_from_mapping(listing, mapping, bytes);
        left -= bytes;
    }
}

json_t* block_past_list(const struct block_past_input* input) {
    struct listing listing = {.input = input, .list = json_array()};
    const CrashRecord* record = input->record;
    add_from_words(&listing);
    if (record == NULL || input->words[0] != '\0') return listing.list;
    uint64_t address = input->block != 0 ? input->block : record->fault_address;
    if (record->code > 0) add(&listing, BLOCK_PAST_FAULT, address, false);
    add(&listing, BLOCK_PAST_BEHIND, input->behind, false);
    add_from_registers(&listing);
    if (!has_bad_pointer(record)) return listing.list;
    add_from_stack(&listing);
    add_from_variables(&listing);
    return listing.list;
}

// In words

static void act_text(const json_t* act, const char* what, char* out, size_t size) {
    char place[600], thread[64] = "an ending thread";
    long long number = json_get_whole(act, "thread");
    code_place_own_text(json_object_get(act, "at"), place, sizeof place);
    if (number != 0) snprintf(thread, sizeof thread, "thread %lld", number);
    snprintf(out, size, "%s by %s%s%s", what, thread, place[0] != '\0' ? " in " : "", place);
}

json_t* block_past_sentence(const json_t* list, const char* of) {
    size_t i;
    json_t* past;
    json_array_foreach(list, i, past) {
        char allocated[720], freed[720];
        const char* whose = json_get_text(past, "of");
        const json_t* end = json_object_get(past, "freed");
        if (of != NULL ? strcmp(whose, of) != 0 : json_is_null(end)) continue;
        act_text(json_object_get(past, "allocated"), "allocated", allocated, sizeof allocated);
        act_text(end, ", freed", freed, sizeof freed);
        return json_format("the block of %s: %lld bytes at %s, %s%s", whose, json_get_whole(past, "size"),
                           json_get_text(past, "address"), allocated, json_is_null(end) ? "" : freed);
    }
    return NULL;
}
