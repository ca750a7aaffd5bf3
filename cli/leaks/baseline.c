#include "leaks/baseline.h"

#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "base/save_file.h"
#include "leaks/leak_places.h"
#include "leaks/wrappers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BASELINE_SCHEMA = 1 };

static const char kind[] = "leaks";

// The calls of a stack, without those of the C library, which has other functions on another machine.
static json_t* calls_of(const json_t* leaks, const json_t* stack) {
    struct leak_call calls[LEAK_CALLS_MAX];
    json_t* names = json_array();
    size_t count = leak_calls(leaks, stack, calls);
    for (size_t i = 0; i < count; i++) {
        const char* function = leak_call_function(&calls[i]);
        const json_t* modules = json_object_get(leaks, "modules");
        const json_t* module = json_array_get(modules, (size_t)json_get_whole(calls[i].frame, "module"));
        if (is_system_call(&calls[i])) continue;
        if (function != NULL)
            json_array_append_new(names, json_text(function));
        else
            json_array_append_new(names, json_format("%s+%s %s", path_file_name(calls[i].module),
                                                     json_get_text_or(calls[i].frame, "offset", "?"),
                                                     json_get_text_or(module, "build_id", "")));
    }
    return names;
}

static char* key_of(const json_t* calls) {
    return json_dumps(calls, JSON_COMPACT);
}

// Reading

static json_t* index_of(const json_t* list) {
    size_t i;
    json_t *leak, *known = json_object();
    json_array_foreach(list, i, leak) {
        char* key = key_of(json_object_get(leak, "calls"));
        if (key != NULL) json_object_set(known, key, leak);
        free(key);
    }
    return known;
}

json_t* baseline_read(const char* path) {
    json_error_t error;
    FILE* file = fopen(path, "re");
    if (file == NULL) {
        usage_error("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    json_t* all = json_loadf(file, 0, &error);
    fclose(file);
    if (all == NULL) {
        usage_error("%s:%d: %s", path, error.line > 0 ? error.line : 1, error.text);
        return NULL;
    }
    json_t *known = NULL, *list = json_object_get(all, "leaks");
    if (strcmp(json_get_text_or(all, "kind", ""), kind) != 0 || !json_is_array(list))
        usage_error("%s:1: not a file of --leaks-save", path);
    else if (json_get_whole(all, "schema") != BASELINE_SCHEMA)
        usage_error("%s:1: schema %lld; this hakstress reads schema %d", path, json_get_whole(all, "schema"),
                    BASELINE_SCHEMA);
    else
        known = index_of(list);
    json_decref(all);
    return known;
}

void baseline_apply(const json_t* known, json_t* leaks) {
    size_t i;
    json_t* stack;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        json_t* calls = calls_of(leaks, stack);
        char* key = key_of(calls);
        if (key != NULL && json_object_get(known, key) != NULL) json_put_bool(stack, "known", true);
        free(key);
        json_decref(calls);
    }
}

// Writing

static json_int_t lost(const json_t* stack, const char* what) {
    return json_get_whole(json_object_get(stack, "definite"), what) +
           json_get_whole(json_object_get(stack, "indirect"), what);
}

// Stacks that differ in lines alone are one leak.
static void add_leak(json_t* list, json_t* known, json_t* calls, const json_t* stack) {
    char* key = key_of(calls);
    json_t* leak = key != NULL ? json_object_get(known, key) : NULL;
    if (leak == NULL) {
        leak = json_object();
        json_object_set(leak, "calls", calls);
        json_array_append_new(list, leak);
        if (key != NULL) json_object_set(known, key, leak);
    }
    json_put_whole(leak, "blocks", json_get_whole(leak, "blocks") + lost(stack, "blocks"));
    json_put_whole(leak, "bytes", json_get_whole(leak, "bytes") + lost(stack, "bytes"));
    free(key);
}

static json_t* document(const json_t* leaks) {
    size_t i;
    json_t *all = json_object(), *list = json_array(), *known = json_object(), *stack;
    json_array_foreach(json_object_get(leaks, "stacks"), i, stack) {
        if (lost(stack, "blocks") == 0 || json_get_text(stack, "suppressed") != NULL) continue;
        json_t* calls = calls_of(leaks, stack);
        add_leak(list, known, calls, stack);
        json_decref(calls);
    }
    json_put_text(all, "kind", kind);
    json_put_whole(all, "schema", BASELINE_SCHEMA);
    json_object_set_new(all, "leaks", list);
    json_decref(known);
    return all;
}

static bool write_json(FILE* file, const void* what) {
    return json_dumpf(what, file, JSON_INDENT(1)) == 0 && fputc('\n', file) != EOF;
}

bool baseline_save(const char* path, const json_t* leaks) {
    json_t* all = document(leaks);
    bool saved = save_file(path, write_json, all);
    if (!saved) missing_error("cannot write %s: %s", path, strerror(errno));
    json_decref(all);
    return saved;
}
