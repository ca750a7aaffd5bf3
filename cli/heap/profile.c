#include "heap/profile.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static void* checked(void* memory) {
    if (memory != NULL) return memory;
    exit(missing_error("out of memory"));
}

void* heap_more(void* list, size_t count, size_t size) {
    enum { FIRST = 16 };
    bool grows = count == 0 || (count >= FIRST && (count & (count - 1)) == 0);
    return grows ? checked(realloc(list, (count < FIRST ? FIRST : 2 * count) * size)) : list;
}

char* heap_text(const char* text) {
    return checked(strdup(text));
}

size_t heap_module_of(struct heap_profile* profile, const struct heap_module* module) {
    for (size_t i = 0; i < profile->module_count; i++) {
        struct heap_module* there = &profile->modules[i];
        if (strcmp(there->path, module->path) != 0 || strcmp(there->build_id, module->build_id) != 0) continue;
        if (there->bias == module->bias && there->end < module->end) there->end = module->end;
        return i;
    }
    profile->modules = heap_more(profile->modules, profile->module_count, sizeof *profile->modules);
    profile->modules[profile->module_count] = *module;
    profile->modules[profile->module_count].path = heap_text(module->path);
    profile->modules[profile->module_count].build_id = heap_text(module->build_id);
    return profile->module_count++;
}

size_t heap_frame_of(struct heap_profile* profile, size_t module, uint64_t address) {
    for (size_t i = 0; i < profile->frame_count; i++)
        if (profile->frames[i].module == module && profile->frames[i].address == address) return i;
    profile->frames = heap_more(profile->frames, profile->frame_count, sizeof *profile->frames);
    profile->frames[profile->frame_count] = (struct heap_frame){.module = module, .address = address};
    return profile->frame_count++;
}

struct heap_stack* heap_stack_of(struct heap_profile* profile, const size_t* frames, size_t depth) {
    for (size_t i = 0; i < profile->stack_count; i++) {
        struct heap_stack* stack = &profile->stacks[i];
        if (stack->depth == depth && memcmp(stack->frames, frames, depth * sizeof *frames) == 0) return stack;
    }
    profile->stacks = heap_more(profile->stacks, profile->stack_count, sizeof *profile->stacks);
    struct heap_stack* stack = &profile->stacks[profile->stack_count++];
    *stack = (struct heap_stack){.depth = depth, .frames = checked(malloc((depth + 1) * sizeof *frames))};
    memcpy(stack->frames, frames, depth * sizeof *frames);
    return stack;
}

int64_t heap_sum(const struct heap_profile* profile, enum heap_value value) {
    int64_t sum = 0;
    for (size_t i = 0; i < profile->stack_count; i++) sum += profile->stacks[i].values[value];
    return sum;
}

static void free_frame(struct heap_frame* frame) {
    for (size_t i = 0; i < frame->line_count; i++) {
        free(frame->lines[i].function);
        free(frame->lines[i].linker_name);
        free(frame->lines[i].file);
    }
}

void heap_profile_free(struct heap_profile* profile) {
    for (size_t i = 0; i < profile->module_count; i++) {
        free(profile->modules[i].path);
        free(profile->modules[i].build_id);
    }
    for (size_t i = 0; i < profile->frame_count; i++) free_frame(&profile->frames[i]);
    for (size_t i = 0; i < profile->stack_count; i++) free(profile->stacks[i].frames);
    free(profile->modules);
    free(profile->frames);
    free(profile->stacks);
    *profile = (struct heap_profile){0};
}
