#include "leaks/leak_places.h"

#include "base/json.h"
#include "base/path.h"
#include "binary/demangle.h"
#include "binary/module_file.h"
#include "code.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

// Frames

static void put_line(json_t* call, const struct code_line* line) {
    if (line->line == 0) return;
    json_put_text(call, "file", line->file);
    json_put_count(call, "line", line->line);
    json_put_text(call, "path", line->path);
}

static void add_call(json_t* calls, const char* function, const struct code_line* line, bool passes_size) {
    char plain[1024];
    json_t* call = json_object();
    json_put_text(call, "function", demangle(function, plain, sizeof plain) ? plain : function);
    put_line(call, line);
    if (passes_size) json_put_bool(call, "passes_size", true);
    json_array_append_new(calls, call);
}

static json_t* calls_json(const struct code* code) {
    json_t* calls = json_array();
    const struct code_line* line = &code->at;
    for (size_t i = 0; i < code->inlined_count; i++) {
        add_call(calls, code->inlined[i].function, line, code->inlined[i].passes_size);
        line = &code->inlined[i].call;
    }
    if (code->function[0] != '\0') add_call(calls, code->function, line, code->passes_size);
    return calls;
}

static bool has_line(const json_t* calls) {
    return json_object_get(json_array_get(calls, 0), "file") != NULL;
}

// `known`: the calls of places that were asked for before.
static void find_calls(json_t* frame, const char* file, json_t* known) {
    struct code code;
    char key[PATH_MAX + 32];
    const char* text = json_get_text(frame, "address");
    if (text == NULL) return;
    snprintf(key, sizeof key, "%s %s", text, file);
    json_t* calls = json_object_get(known, key);
    if (calls == NULL) {
        code_at_address(file, strtoull(text, NULL, 16) - 1, &code);
        calls = calls_json(&code);
        json_object_set_new(known, key, calls);
    }
    bool first = json_object_get(frame, "calls") == NULL;
    if (has_line(calls) || (first && json_array_size(calls) > 0)) json_object_set(frame, "calls", calls);
}

// Finds those that have no lines yet. true: none is left.
static bool find_in_file(const json_t* leaks, size_t module, const char* file, json_t* known) {
    size_t i, j;
    json_t *stack, *frame;
    bool all = true;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        json_array_foreach(json_object_get(stack, "frames"), j, frame) {
            if (json_get_whole(frame, "module") != (json_int_t)module || has_line(json_object_get(frame, "calls")))
                continue;
            if (file != NULL) find_calls(frame, file, known);
            all = all && has_line(json_object_get(frame, "calls"));
        }
    }
    return all;
}

void leak_places_find(json_t* leaks, const char* folder, bool download) {
    const struct module_search search = {folder, download};
    size_t i;
    json_t *module, *known = json_object();
    // A module at a time: few files are open at once.
    json_array_foreach(json_object_get(leaks, "modules"), i, module) {
        bool all = find_in_file(leaks, i, NULL, known);
        const char *path = json_get_text_or(module, "path", ""), *build_id = json_get_text_or(module, "build_id", "");
        for (int place = 0; place < MODULE_PLACES && !all; place++) {
            char file[PATH_MAX];
            if (module_file_find(path, build_id, &search, place, file, sizeof file))
                all = find_in_file(leaks, i, file, known);
        }
    }
    json_decref(known);
}

// Calls

size_t leak_calls(const json_t* leaks, const json_t* stack, struct leak_call* out) {
    size_t i, j, count = 0;
    json_t *frame, *call;
    json_array_foreach(json_object_get(stack, "frames"), i, frame) {
        const json_t* modules = json_object_get(leaks, "modules");
        const json_t* module = json_array_get(modules, (size_t)json_get_whole(frame, "module"));
        struct leak_call one = {.frame = frame, .module = json_get_text_or(module, "path", "")};
        const json_t* calls = json_object_get(frame, "calls");
        if (json_array_size(calls) == 0 && count < LEAK_CALLS_MAX) out[count++] = one;
        json_array_foreach(calls, j, call) {
            one.call = call;
            if (count < LEAK_CALLS_MAX) out[count++] = one;
        }
    }
    return count;
}

const char* leak_call_function(const struct leak_call* call) {
    return json_get_text(call->call, "function");
}

void leak_call_text(const struct leak_call* call, bool whole, char* out, size_t size) {
    const char *function = leak_call_function(call), *file = json_get_text(call->call, "file");
    const char *offset = json_get_text_or(call->frame, "offset", "?"), *module = path_file_name(call->module);
    if (function == NULL)
        snprintf(out, size, "%s%s%s", module[0] != '\0' ? module : "code of no file, ", module[0] != '\0' ? "+" : "",
                 offset);
    else if (file != NULL)
        snprintf(out, size, "%s (%s:%lld)", function, file, json_get_whole(call->call, "line"));
    else if (whole)
        snprintf(out, size, "%s (%s+%s)", function, module, offset);
    else
        snprintf(out, size, "%s", function);
}
