#include "heap/symbols.h"

#include "args/args.h"
#include "base/path.h"
#include "binary/build_id.h"
#include "binary/demangle.h"
#include "code.h"
#include "leaks/wrappers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- names

static void add_line(struct heap_frame* frame, const char* name, const struct code_line* at, bool passes_size) {
    char plain[1024], file[sizeof at->file];
    snprintf(file, sizeof file, "%s", at->file);
    bool is_plain = demangle(name, plain, sizeof plain);
    frame->lines[frame->line_count++] = (struct heap_line){.function = heap_text(is_plain ? plain : name),
                                                           .linker_name = heap_text(name),
                                                           .file = heap_text(file),
                                                           .line = at->line,
                                                           .passes_on = passes_size};
}

static void add_code(struct heap_frame* frame, const struct code* code) {
    const struct code_line* at = &code->at;
    for (size_t i = 0; i < code->inlined_count; i++) {
        add_line(frame, code->inlined[i].function, at, code->inlined[i].passes_size);
        at = &code->inlined[i].call;
    }
    if (code->function[0] != '\0') add_line(frame, code->function, at, code->passes_size);
}

static bool is_wrapper(const struct args* args, const char* function) {
    const char* given;
    if (is_wrapper_name(function, NULL)) return true;
    for (size_t i = 0; (given = args_given(args, "wrapper", i)) != NULL; i++)
        if (is_wrapper_name(function, given)) return true;
    return false;
}

static void name_frame(struct heap_frame* frame, const struct heap_module* module, bool readable,
                       const struct args* args) {
    static const struct code_line nowhere;
    char place[512];
    struct code code = {.offset = 0};
    if (readable && code_at_address(module->path, frame->address - 1, &code)) add_code(frame, &code);
    bool is_system = is_system_module(module->path), is_known = frame->line_count > 0;
    snprintf(place, sizeof place, "%s+0x%" PRIx64, path_file_name(module->path), frame->address);
    if (!is_known) add_line(frame, place, &nowhere, false);
    for (size_t i = 0; i < frame->line_count; i++) {
        struct heap_line* line = &frame->lines[i];
        line->passes_on |= is_system || (is_known && is_wrapper(args, line->function));
    }
}

static bool is_readable(const struct heap_module* module) {
    char found[BUILD_ID_TEXT_MAX];
    if (module->path[0] != '/') return false;
    if (strcmp(module->build_id, "-") == 0) return true;
    bool has_id = build_id_of_file(module->path, found, sizeof found);
    if (has_id && strcmp(found, module->build_id) == 0) return true;
    fprintf(stderr, "hakstress: %s is %s: its functions have no names here\n", module->path,
            has_id ? "another build now" : "gone");
    return false;
}

void heap_name_frames(struct heap_profile* profile, const struct args* args) {
    for (size_t m = 0; m < profile->module_count; m++) {
        bool readable = is_readable(&profile->modules[m]);
        for (size_t i = 0; i < profile->frame_count; i++)
            if (profile->frames[i].module == m) name_frame(&profile->frames[i], &profile->modules[m], readable, args);
    }
}

static bool frame_passes_on(const struct heap_frame* frame) {
    return frame->lines[frame->line_count - 1].passes_on;
}

static bool is_of_system(const struct heap_profile* profile, const struct heap_frame* frame) {
    return is_system_module(profile->modules[frame->module].path);
}

size_t heap_first_own(const struct heap_profile* profile, const struct heap_stack* stack) {
    for (size_t i = 0; i < stack->depth; i++)
        if (!frame_passes_on(&profile->frames[stack->frames[i]])) return i;
    for (size_t i = 0; i < stack->depth; i++)
        if (!is_of_system(profile, &profile->frames[stack->frames[i]])) return i;
    return 0;
}
