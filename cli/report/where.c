#include "report/where.h"

#include "base/json.h"
#include "report/block_past.h"
#include "report/code_place.h"

#include <stdlib.h>
#include <string.h>

static json_t* of_frames(const json_t* frames, const char* how) {
    char place[600];
    if (!code_place_own_text(frames, place, sizeof place) || place[0] == '\0') return NULL;
    return json_format("%s %s", how, place);
}

// Where the block that the message names was allocated.
static json_t* of_allocation(const json_t* blocks) {
    const json_t* past = json_array_get(blocks, 0);
    bool named = strcmp(json_get_text_or(past, "of", ""), BLOCK_PAST_CHECK) == 0;
    const json_t* frames = json_object_get(json_object_get(past, "allocated"), "at");
    return named ? of_frames(frames, "the block was allocated in") : NULL;
}

// After `sign` in the message: the first address of code. `cxx`: also in a header of the C++ library.
static json_t* of_pc_behind(const char* words, const char* sign, const struct procmaps* maps, const char* how,
                            bool cxx) {
    static const char pc_sign[] = " at pc ";
    char place[600] = "";
    const char* at = strstr(words, sign);
    at = at != NULL ? strstr(at, pc_sign) : NULL;
    if (at == NULL) return NULL;
    json_t* frame = code_place(maps, strtoull(at + strlen(pc_sign), NULL, 16), 1);
    if (cxx || !json_get_bool(frame, "of_cxx")) code_place_text(frame, place, sizeof place);
    json_decref(frame);
    return place[0] != '\0' ? json_format("%s %s", how, place) : NULL;
}

json_t* where_text(const char* words, const struct procmaps* maps, const json_t* backtrace, const json_t* blocks) {
    if (words[0] == '\0') return of_frames(backtrace, "in");
    // If damage is found later, who did it is not known.
    bool late = strstr(words, "your program wrote") != NULL;
    json_t* where = late ? of_allocation(blocks) : of_pc_behind(words, "your program called", maps, "in", false);
    if (late && where == NULL)
        where = of_pc_behind(words, "your program wrote", maps, "the block was allocated in", true);
    return where != NULL ? where : of_frames(backtrace, "in");
}
