#include "search/position.h"

#include "runtime/location.h"
#include "search/exhaustive.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    char* out;
    size_t size, length;
} Text;

static void add(Text* text, const char* format, unsigned long number) {
    size_t room = text->length < text->size ? text->size - text->length : 0;
    int length = snprintf(room ? text->out + text->length : NULL, room, format, number);
    if (length > 0) text->length += (size_t)length;
}

static void add_words(Text* text) {
    bool more = false;
    for (uint32_t i = 1; i <= location_count; i++) {
        if (!locations[i].contended) continue;
        add(text, more ? "+%lx" : "%lx", location_offset(i));
        more = true;
    }
}

static void add_lines(Text* text) {
    bool more = false;
    for (unsigned long line = 0; line < LINES; line++) {
        if ((memory_lines[line] & LINE_IS_EXACT) == 0) continue;
        add(text, more ? "+%lx" : "%lx", line);
        more = true;
    }
}

size_t position_format(char* out, size_t size) {
    Text text = {out, size, 0};
    ExhaustivePosition at = exhaustive_position();
    add(&text, "%lx", at.bound);
    add(&text, ":%lx:", at.leaf);
    for (uint32_t i = 0; i < at.count; i++) add(&text, "%lu", exhaustive_picked(i));
    add(&text, ":", 0);
    add_words(&text);
    add(&text, ":", 0);
    add_lines(&text);
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

static bool read_words(const char** text) {
    unsigned long offset;
    while (**text && **text != ':') {
        if (!read_number(text, TRACKED_BYTES, &offset)) return false;
        location_of(offset)->contended = 1;
        if (**text == '+') ++*text;
    }
    return true;
}

static bool read_lines(const char** text) {
    unsigned long line;
    while (**text) {
        if (!read_number(text, LINES, &line)) return false;
        memory_lines[line] |= LINE_IS_EXACT | LINE_IS_WRITTEN;
        if (**text == '+') ++*text;
    }
    return true;
}

bool position_restore(const char* text) {
    unsigned long bound, leaf;
    if (!read_number(&text, UINT32_MAX, &bound) || !read_colon(&text)) return false;
    if (!read_number(&text, UINT64_MAX, &leaf) || !read_colon(&text)) return false;
    exhaustive_go_on((uint32_t)bound, leaf);
    return read_picked(&text) && read_colon(&text) && read_words(&text) && read_colon(&text) && read_lines(&text);
}
