#include "search/learned.h"

#include "runtime/location.h"

#include <stdlib.h>

static void add(Text* text, const char* kind, uint64_t number, bool* more) {
    text_add(text, "%s%s%lx", *more ? "+" : "", kind, (unsigned long)number);
    *more = true;
}

void learned_add_to(Text* text) {
    bool more = false;
    for (uint32_t i = 1; i <= location_count; i++)
        if (locations[i].contended) add(text, "", location_offset(i), &more);
    for (uint64_t line = 0; line < LINES; line++)
        if (memory_lines[line] & LINE_IS_EXACT) add(text, "l", line, &more);
}

uint32_t learned_count(void) {
    uint64_t hash;
    uint32_t count = locations_contended(&hash);
    for (uint64_t line = 0; line < LINES; line++) count += (memory_lines[line] & LINE_IS_EXACT) != 0;
    return count;
}

static bool read_one(const char** text) {
    char* end;
    const bool is_line = **text == 'l';
    const char* digits = *text + is_line;
    unsigned long number = strtoul(digits, &end, 16);
    if (end == digits || number >= (is_line ? LINES : TRACKED_BYTES)) return false;
    if (is_line)
        memory_lines[number] |= LINE_IS_EXACT | LINE_IS_WRITTEN;
    else
        location_of(number)->contended = 1;
    *text = end;
    return true;
}

bool learned_restore(const char* text, uint32_t* count) {
    for (*count = 0; *text; ++*count) {
        if (!read_one(&text)) return false;
        if (*text == '+') text++;
    }
    return true;
}
