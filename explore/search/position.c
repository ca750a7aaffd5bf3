#include "search/position.h"

#include "search/exhaustive.h"
#include "search/learned.h"

#include <stdint.h>
#include <stdlib.h>

size_t position_format(char* out, size_t size) {
    Text text = {out, size, 0};
    ExhaustivePosition at = exhaustive_position();
    text_add(&text, "%x:", at.bound);
    for (uint32_t i = 0; i < at.count; i++) text_add(&text, "%u", exhaustive_picked(i));
    text_add(&text, ":");
    learned_add_to(&text);
    return text.length;
}

static bool read_number(const char** text, unsigned long most, unsigned long* number) {
    char* end;
    *number = strtoul(*text, &end, 16);
    if (end == *text || *number >= most) return false;
    *text = end;
    return true;
}

static bool read_colon(const char** text) {
    return *(*text)++ == ':';
}

static bool read_picked(const char** text) {
    for (; **text >= '0' && **text <= '9'; ++*text)
        if (!exhaustive_pick((uint8_t)(**text - '0'))) return false;
    return true;
}

static bool read_position(const char** text) {
    unsigned long bound;
    if (!read_number(text, UINT32_MAX, &bound) || !read_colon(text)) return false;
    return exhaustive_go_on((uint32_t)bound) && read_picked(text) && read_colon(text);
}

// With more words than the search had there are other points: what it picked belongs to another tree.
PositionFit position_restore(const char* text) {
    uint32_t count;
    if (!read_position(&text) || !learned_restore(text, &count)) return POSITION_BAD;
    return learned_count() == count ? POSITION_OK : POSITION_OLD;
}
