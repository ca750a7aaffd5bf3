#include "heap/page.h"

#include "base/json.h"
#include "base/save_file.h"
#include "embedded_page.h"
#include "heap/symbols.h"

#include <errno.h>

extern const struct embedded_page heap_page;  // made by scripts/embed_page.py

static json_t* frame_json(const struct heap_frame* frame) {
    json_t *object = json_object(), *lines = json_array();
    for (size_t i = 0; i < frame->line_count; i++) {
        const struct heap_line* line = &frame->lines[i];
        json_t* entry = json_object();
        json_put_text(entry, "function", line->function);
        if (line->line != 0) json_put_text(entry, "file", line->file);
        if (line->line != 0) json_put_count(entry, "line", line->line);
        if (line->passes_on) json_put_bool(entry, "passes_on", true);
        json_array_append_new(lines, entry);
    }
    json_object_set_new(object, "lines", lines);
    json_put_count(object, "module", frame->module);
    json_put_hex(object, "address", frame->address);
    return object;
}

static json_t* stack_json(const struct heap_profile* profile, const struct heap_stack* stack) {
    json_t *object = json_object(), *frames = json_array(), *values = json_array();
    for (size_t i = 0; i < stack->depth; i++) json_array_append_new(frames, json_integer((json_int_t)stack->frames[i]));
    for (size_t i = 0; i < HEAP_VALUES; i++) json_array_append_new(values, json_integer((json_int_t)stack->values[i]));
    json_object_set_new(object, "frames", frames);
    json_put_count(object, "first_own", heap_first_own(profile, stack));
    json_object_set_new(object, "values", values);
    return object;
}

static json_t* modules_json(const struct heap_profile* profile) {
    json_t* list = json_array();
    for (size_t i = 0; i < profile->module_count; i++) {
        json_t* object = json_object();
        json_put_text(object, "path", profile->modules[i].path);
        json_put_text(object, "build_id", profile->modules[i].build_id);
        json_array_append_new(list, object);
    }
    return list;
}

json_t* heap_document(const struct heap_profile* profile, const char* title) {
    static const char* const names[HEAP_VALUES] = {"live_blocks", "live_bytes", "peak_blocks",  "peak_bytes",
                                                   "all_blocks",  "all_bytes",  "first_blocks", "first_bytes"};
    json_t *document = json_object(), *frames = json_array(), *stacks = json_array(), *values = json_array();
    for (size_t i = 0; i < profile->frame_count; i++) json_array_append_new(frames, frame_json(&profile->frames[i]));
    for (size_t i = 0; i < profile->stack_count; i++)
        json_array_append_new(stacks, stack_json(profile, &profile->stacks[i]));
    for (size_t i = 0; i < HEAP_VALUES; i++) json_array_append_new(values, json_text(names[i]));
    json_put_text(document, "kind", "heap_profile");
    json_put_whole(document, "schema", 1);
    json_put_text(document, "title", title);
    json_put_count(document, "rate", profile->rate);
    json_put_count(document, "lost", profile->lost);
    json_put_count(document, "processes", profile->processes);
    json_put_count(document, "moments", profile->moments);
    json_put_count(document, "first_ms", profile->first_ms);
    json_put_count(document, "last_ms", profile->last_ms);
    json_object_set_new(document, "values", values);
    json_object_set_new(document, "modules", modules_json(profile));
    json_object_set_new(document, "frames", frames);
    json_object_set_new(document, "stacks", stacks);
    return document;
}

static bool write_page(FILE* file, const void* document) {
    return embedded_page_write(&heap_page, document, file);
}

bool heap_page_save(const char* path, const json_t* document) {
    errno = 0;
    return save_file(path, write_page, document);
}
