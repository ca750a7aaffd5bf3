#include "leaks/leak_places.h"

#include "base/json.h"
#include "base/path.h"
#include "binary/build_id.h"
#include "binary/debug_download.h"
#include "binary/demangle.h"
#include "code.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The files of modules

static bool is_build(const char* path, const char* build_id) {
    char found[BUILD_ID_TEXT_MAX];
    if (build_id[0] == '\0') return access(path, R_OK) == 0;
    return build_id_of_file(path, found, sizeof found) && strcmp(found, build_id) == 0;
}

static bool by_build_id(const char* folder, const char* build_id, char* out, size_t size) {
    if (strlen(build_id) < 3) return false;
    snprintf(out, size, "%s/.build-id/%.2s/%s.debug", folder, build_id, build_id + 2);
    return access(out, R_OK) == 0;
}

static bool in_folder(const char* folder, const char* path, const char* build_id, char* out, size_t size) {
    static const char* const ends[] = {"", ".debug"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(out, size, "%s/%s%s", folder, path_file_name(path), ends[i]);
        if (is_build(out, build_id)) return true;
    }
    return by_build_id(folder, build_id, out, size);
}

struct search {
    const char* folder;
    bool download;
};

enum { PLACES = 4 };

// The file to read at the given place; false: there is none.
static bool find_file(const json_t* module, const struct search* search, int place, char* out, size_t size) {
    const char *path = json_get_text_or(module, "path", ""), *build_id = json_get_text_or(module, "build_id", "");
    if (path[0] == '\0') return false;
    switch (place) {
    case 0: return search->folder != NULL && in_folder(search->folder, path, build_id, out, size);
    case 1: return snprintf(out, size, "%s", path) < (int)size && is_build(path, build_id);
    case 2: return by_build_id("/usr/lib/debug", build_id, out, size);
    default: return search->download && debug_download(build_id, out, size);
    }
}

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
    const struct search search = {folder, download};
    size_t i;
    json_t *module, *known = json_object();
    // A module at a time: few files are open at once.
    json_array_foreach(json_object_get(leaks, "modules"), i, module) {
        bool all = find_in_file(leaks, i, NULL, known);
        for (int place = 0; place < PLACES && !all; place++) {
            char file[PATH_MAX];
            if (find_file(module, &search, place, file, sizeof file)) all = find_in_file(leaks, i, file, known);
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
