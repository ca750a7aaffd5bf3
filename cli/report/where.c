#include "report/where.h"

#include "base/json.h"
#include "report/code_place.h"

#include <stdlib.h>
#include <string.h>

// What programs call, and what calls them.
static bool is_system_library(const char* module) {
    static const char* const names[] = {"libc.so", "libc-",       "libstdc++.so", "libc++",     "libpthread",
                                        "libm.so", "libgcc_s.so", "ld-linux",     "libhakmem-", "[vdso]"};
    const char* slash = strrchr(module, '/');
    const char* name = slash != NULL ? slash + 1 : module;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    }
    return false;
}

static json_t* of_backtrace(const json_t* backtrace) {
    size_t i;
    json_t* frame;
    char place[600];
    json_array_foreach(backtrace, i, frame) {
        const char* module = json_get_text(frame, "module");
        if (module == NULL || is_system_library(module) || json_get_bool(frame, "allocator")) continue;
        code_place_text(frame, place, sizeof place);
        return place[0] != '\0' ? json_format("in %s", place) : NULL;
    }
    return NULL;
}

// After `sign` in the message: the first address of code.
static json_t* of_pc_behind(const char* words, const char* sign, const struct procmaps* maps, const char* how) {
    static const char pc_sign[] = " at pc ";
    char place[600];
    const char* at = strstr(words, sign);
    at = at != NULL ? strstr(at, pc_sign) : NULL;
    if (at == NULL) return NULL;
    json_t* frame = code_place(maps, strtoull(at + strlen(pc_sign), NULL, 16), 1);
    code_place_text(frame, place, sizeof place);
    json_decref(frame);
    return place[0] != '\0' ? json_format("%s %s", how, place) : NULL;
}

json_t* where_text(const char* words, const struct procmaps* maps, const json_t* backtrace) {
    if (words[0] == '\0') return of_backtrace(backtrace);
    json_t* where = of_pc_behind(words, "your program called", maps, "in");
    // If damage is found later, who did it is not known.
    if (where == NULL) where = of_pc_behind(words, "your program wrote", maps, "the block was allocated in");
    return where != NULL ? where : of_backtrace(backtrace);
}
