#include "leaks/leak_table.h"

#include "base/array.h"
#include "binary/segments.h"

#include <stdlib.h>
#include <string.h>

struct mapped_module {
    bool known;
    uint32_t number;
    struct segments segments;
};

// Modules

bool leak_modules_open(struct leak_modules* modules, const struct procmaps* maps) {
    modules->maps = maps;
    modules->known = calloc(maps->count + 1, sizeof *modules->known);
    return modules->known != NULL;
}

void leak_modules_close(struct leak_modules* modules) {
    free(modules->known);
    modules->known = NULL;
}

static bool find_module(struct leak_table* table, const char* path, uint32_t* number) {
    struct leak_module module = {.path = NULL};
    if (path[0] != '\0') build_id_of_file(path, module.build_id, sizeof module.build_id);
    for (size_t i = 0; i < table->module_count; i++) {
        if (strcmp(table->modules[i].path, path) != 0 || strcmp(table->modules[i].build_id, module.build_id) != 0)
            continue;
        *number = (uint32_t)i;
        return true;
    }
    struct leak_module* more = array_room(table->modules, table->module_count, &table->module_room, 16, sizeof *more);
    if (more == NULL) return false;
    table->modules = more;
    module.path = strdup(path);
    if (module.path == NULL) return false;
    *number = (uint32_t)table->module_count;
    table->modules[table->module_count++] = module;
    return true;
}

static bool find_frame(struct leak_table* table, const struct leak_modules* modules, uint64_t address,
                       struct leak_frame* frame) {
    const struct mapping* mapping = procmaps_find(modules->maps, address - 1);
    const struct mapping anonymous = {.start = 0};
    struct mapped_module* known = &modules->known[mapping != NULL ? mapping - modules->maps->mappings : 0];
    if (mapping == NULL) known = &modules->known[modules->maps->count];
    if (mapping == NULL || mapping->path[0] != '/') mapping = &anonymous;
    if (!known->known) {
        known->known = find_module(table, mapping->path, &known->number);
        if (known->known && mapping != &anonymous) segments_read(&known->segments, mapping->path);
    }
    *frame = (struct leak_frame){.module = known->number, .offset = address - mapping->start + mapping->offset};
    if (segments_address(&known->segments, frame->offset - 1, &frame->address)) frame->address++;
    return known->known;
}

// Stacks

static bool is_stack(const struct leak_stack* stack, const struct leak_frame* frames, size_t count) {
    if (stack->count != count) return false;
    for (size_t i = 0; i < count; i++)
        if (stack->frames[i].module != frames[i].module || stack->frames[i].offset != frames[i].offset) return false;
    return true;
}

static size_t hash_of(const struct leak_frame* frames, size_t count) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ frames[i].offset ^ (uint64_t)frames[i].module << 48) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 20);
}

// The place of the stack in the index, or the free place for it.
static uint32_t* place_of(const struct leak_table* table, const struct leak_frame* frames, size_t count) {
    size_t place = hash_of(frames, count) % table->places;
    while (table->index[place] != 0 && !is_stack(&table->stacks[table->index[place] - 1], frames, count))
        place = (place + 1) % table->places;
    return &table->index[place];
}

static bool make_room(struct leak_table* table) {
    if (table->stack_count < table->stack_room) return true;
    size_t room = table->stack_room * 2 + 512;
    struct leak_stack* more = realloc(table->stacks, room * sizeof *more);
    if (more == NULL) return false;
    table->stacks = more;
    uint32_t* index = calloc(room * 2, sizeof *index);
    if (index == NULL) return false;
    free(table->index);
    table->index = index;
    table->places = room * 2;
    table->stack_room = room;
    for (size_t i = 0; i < table->stack_count; i++) *place_of(table, more[i].frames, more[i].count) = (uint32_t)i + 1;
    return true;
}

static struct leak_stack* find_stack(struct leak_table* table, const struct leak_frame* frames, size_t count) {
    if (!make_room(table)) return NULL;
    uint32_t* place = place_of(table, frames, count);
    if (*place != 0) return &table->stacks[*place - 1];
    struct leak_frame* copy = malloc((count + 1) * sizeof *copy);
    if (copy == NULL) return NULL;
    if (count > 0) memcpy(copy, frames, count * sizeof *copy);
    table->stacks[table->stack_count++] = (struct leak_stack){.frames = copy, .count = count};
    *place = (uint32_t)table->stack_count;
    return &table->stacks[table->stack_count - 1];
}

void leak_sums_add(struct leak_sums* to, const struct leak_sums* more) {
    for (size_t i = 0; i < BLOCK_CLASSES; i++) {
        to->of[i].blocks += more->of[i].blocks;
        to->of[i].bytes += more->of[i].bytes;
    }
}

void leak_table_add(struct leak_table* table, struct leak_modules* modules, const uint64_t* addresses, size_t count,
                    const struct leak_sums* sums) {
    struct leak_frame frames[LEAK_FRAMES_MAX];
    if (count > LEAK_FRAMES_MAX) count = LEAK_FRAMES_MAX;
    for (size_t i = 0; i < count; i++)
        if (!find_frame(table, modules, addresses[i], &frames[i])) return;
    struct leak_stack* stack = find_stack(table, frames, count);
    if (stack == NULL) return;
    stack->processes++;
    leak_sums_add(&stack->sums, sums);
}

void leak_table_free(struct leak_table* table) {
    for (size_t i = 0; i < table->module_count; i++) free(table->modules[i].path);
    for (size_t i = 0; i < table->stack_count; i++) free(table->stacks[i].frames);
    free(table->modules);
    free(table->stacks);
    free(table->index);
    *table = (struct leak_table){.module_count = 0};
}
