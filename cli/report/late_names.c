#include "report/late_names.h"

#include "base/json.h"
#include "report/code_place.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_nameless(const json_t* place) {
    return json_get_text(place, "build_id") != NULL && json_get_text(place, "address") != NULL &&
           json_get_text(place, "symbol") == NULL;
}

// The names go into the place; module and offset stay those of the process.
static bool name_from(json_t* place, const char* file) {
    uint64_t pc = strtoull(json_get_text_or(place, "pc", "0"), NULL, 16);
    uint64_t address = strtoull(json_get_text_or(place, "address", "0"), NULL, 16);
    json_t* found = code_place_in(file, true, pc, address, json_get_bool(place, "is_call"));
    bool is_named = json_get_text(found, "symbol") != NULL;
    static const char* const kept[] = {"module", "module_offset"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) json_object_del(found, kept[i]);
    if (is_named) json_object_update(place, found);
    json_decref(found);
    return is_named;
}

static bool name_place(json_t* place, const struct module_search* search) {
    char file[PATH_MAX];
    const char *path = json_get_text_or(place, "module", ""), *build_id = json_get_text_or(place, "build_id", "");
    for (int i = 0; i < MODULE_PLACES; i++)
        if (module_file_find(path, build_id, search, i, file, sizeof file) && name_from(place, file)) return true;
    return false;
}

// Places stand at any depth: in stacks of threads, and in those of malloc and free of blocks.
static size_t name_within(json_t* value, const struct module_search* search) {
    size_t i, named = 0;
    const char* key;
    json_t* inner;
    if (json_is_object(value) && is_nameless(value)) return name_place(value, search);
    json_object_foreach(value, key, inner) named += name_within(inner, search);
    json_array_foreach(value, i, inner) named += name_within(inner, search);
    return named;
}

static const char nameless_sign[] = "no names for ";

void late_names_note(json_t* evidence, const json_t* frames) {
    size_t i;
    const json_t* frame;
    json_array_foreach((json_t*)(uintptr_t)frames, i, frame) {
        if (!is_nameless(frame)) continue;
        json_array_append_new(evidence, json_format("%s%s, build id %s: where its debug information is, hakstress "
                                                    "report --symbols FOLDER REPORT names them",
                                                    nameless_sign, json_get_text_or(frame, "module", "?"),
                                                    json_get_text_or(frame, "build_id", "?")));
        return;
    }
}

static void note_again(json_t* evidence, const json_t* frames) {
    for (size_t i = json_array_size(evidence); i-- > 0;) {
        const char* sentence = json_string_value(json_array_get(evidence, i));
        if (sentence != NULL && strncmp(sentence, nameless_sign, sizeof nameless_sign - 1) == 0)
            json_array_remove(evidence, i);
    }
    late_names_note(evidence, frames);
}

void late_names_find(json_t* report, const struct module_search* search) {
    char place[1024];
    json_t *verdict = json_object_get(report, "verdict"), *frames = json_object_get(report, "backtrace");
    if (name_within(report, search) == 0) return;
    note_again(json_object_get(verdict, "evidence"), frames);
    if (json_get_text(report, "check") == NULL && code_place_own_text(frames, place, sizeof place))
        json_object_set_new(verdict, "where", json_format("in %s", place));
}
