#include "report/code_place.h"

#include "base/json.h"
#include "base/path.h"
#include "binary/demangle.h"
#include "code.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The allocator's source files, each between two spaces; the build sets them.
#ifndef ALLOCATOR_FILES
#define ALLOCATOR_FILES ""
#endif

static bool is_allocator(const char* module, const struct code* code) {
    if (strncmp(path_file_name(module), "libhakmem", 9) == 0) return true;
    char file[sizeof code->unit + 2];
    snprintf(file, sizeof file, " %s ", code->unit);
    return strncmp(code->function, "hak_", 4) == 0 || (code->unit[0] != '\0' && strstr(ALLOCATOR_FILES, file) != NULL);
}

static void put_function(json_t* object, const char* name) {
    char plain[1024];
    json_put_text(object, "symbol", demangle(name, plain, sizeof plain) ? plain : name);
}

static json_t* inlined_json(const struct code* code) {
    json_t* list = json_array();
    for (size_t i = 0; i < code->inlined_count; i++) {
        const struct code_inlined* inlined = &code->inlined[i];
        json_t* object = json_object();
        put_function(object, inlined->function);
        if (inlined->call.line != 0)
            json_object_set_new(object, "called_from",
                                json_format("%s:%" PRIu64, inlined->call.file, inlined->call.line));
        if (inlined->call.of_cxx) json_put_bool(object, "called_from_cxx", true);
        json_array_append_new(list, object);
    }
    return list;
}

static void put_code(json_t* place, const char* module, const struct code* code, unsigned called) {
    if (code->function[0] != '\0') {
        put_function(place, code->function);
        json_put_count(place, "offset", code->offset + called);
    }
    if (code->at.line != 0) {
        json_put_text(place, "file", code->at.file);
        json_put_count(place, "line", code->at.line);
        if (code->at.of_cxx) json_put_bool(place, "of_cxx", true);
    }
    if (code->inlined_count > 0) json_object_set_new(place, "inlined", inlined_json(code));
    json_put_text(place, "module", module);
}

json_t* code_place(const struct procmaps* maps, uint64_t pc, unsigned called) {
    json_t* place = json_object();
    json_put_hex(place, "pc", pc);
    const struct mapping* mapping = procmaps_find(maps, pc);
    if (mapping == NULL) return place;
    struct code code;
    uint64_t in_file = pc - mapping->start + mapping->offset;
    code_at(mapping->path, in_file - called, &code);
    put_code(place, mapping->path, &code, called);
    json_put_hex(place, "module_offset", in_file);
    json_put_bool(place, "allocator", is_allocator(mapping->path, &code));
    return place;
}

json_t* code_place_in(const char* module, bool readable, uint64_t pc, uint64_t address, unsigned called) {
    json_t* place = json_object();
    struct code code = {.offset = 0};
    json_put_hex(place, "pc", pc);
    if (readable) code_at_address(module, address - called, &code);
    put_code(place, module, &code, called);
    json_put_hex(place, "module_offset", address);
    json_put_bool(place, "allocator", is_allocator(module, &code));
    return place;
}

// The innermost function; `around` becomes the linker's function if that is another one, else NULL.
static const char* function_of(const json_t* place, const char** around) {
    const char* symbol = json_get_text(place, "symbol");
    const char* inner = json_get_text(json_array_get(json_object_get(place, "inlined"), 0), "symbol");
    *around = inner != NULL ? symbol : NULL;
    return inner != NULL ? inner : symbol;
}

void code_place_text(const json_t* place, char* out, size_t size) {
    const char *around, *function = function_of(place, &around);
    const char* module = json_get_text(place, "module");
    const char* file = json_get_text(place, "file");
    const char* offset = json_get_text(place, "module_offset");
    char line[160] = "";
    out[0] = '\0';
    if (file != NULL) snprintf(line, sizeof line, " (%s:%lld)", file, json_get_whole(place, "line"));
    if (function != NULL)
        snprintf(out, size, "%s%s%s%s", function, line, around != NULL ? ", inlined into " : "",
                 around != NULL ? around : "");
    else if (module != NULL && offset != NULL)
        snprintf(out, size, "%s+%s", module, offset);
}

// What programs call, and what calls them.
static bool is_system_library(const char* module) {
    static const char* const names[] = {"libc.so", "libc-",       "libstdc++.so", "libc++",     "libpthread",
                                        "libm.so", "libgcc_s.so", "ld-linux",     "libhakmem-", "[vdso]"};
    const char* name = path_file_name(module);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    }
    return false;
}

// The innermost function of a place that is not in a header of the C++ library; false: all are.
static bool own_text(const json_t* place, char* out, size_t size) {
    if (!json_get_bool(place, "of_cxx")) {
        code_place_text(place, out, size);
        return true;
    }
    const json_t *list = json_object_get(place, "inlined"), *inlined;
    const char* symbol = json_get_text_or(place, "symbol", "?");
    for (size_t i = 0; (inlined = json_array_get(list, i)) != NULL; i++) {
        const char* line = json_get_text(inlined, "called_from");
        if (line == NULL || json_get_bool(inlined, "called_from_cxx")) continue;
        const char* around = json_get_text(json_array_get(list, i + 1), "symbol");
        snprintf(out, size, "%s (%s)%s%s", around != NULL ? around : symbol, line,
                 around != NULL ? ", inlined into " : "", around != NULL ? symbol : "");
        return true;
    }
    return false;
}

bool code_place_own_text(const json_t* frames, char* out, size_t size) {
    size_t i;
    json_t* frame;
    json_array_foreach(frames, i, frame) {
        const char* module = json_get_text(frame, "module");
        if (module == NULL || is_system_library(module) || json_get_bool(frame, "allocator")) continue;
        if (own_text(frame, out, size)) return true;
    }
    code_place_text(json_array_get(frames, 0), out, size);
    return false;
}

void code_place_offset_text(const json_t* place, char* out, size_t size) {
    const char *around, *function = function_of(place, &around);
    const char* file = json_get_text(place, "file");
    char line[160] = "";
    if (file != NULL) snprintf(line, sizeof line, ", %s:%lld,", file, json_get_whole(place, "line"));
    snprintf(out, size, "%s%s%s+0x%llx%s", function != NULL ? function : "?", around != NULL ? ", inlined into " : "",
             around != NULL ? around : "", (unsigned long long)json_get_whole(place, "offset"), line);
}
