#include "heap/pprof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

// --- messages: each field is its number and kind, and then a number or bytes

struct message {
    unsigned char* bytes;
    size_t size;
};

static void put_byte(struct message* m, unsigned char byte) {
    m->bytes = heap_more(m->bytes, m->size, 1);
    m->bytes[m->size++] = byte;
}

static void put_varint(struct message* m, uint64_t value) {
    for (; value >= 0x80; value >>= 7) put_byte(m, (unsigned char)(value | 0x80));
    put_byte(m, (unsigned char)value);
}

static void put_number(struct message* m, unsigned field, uint64_t value) {
    if (value == 0) return;  // the default
    put_varint(m, field << 3);
    put_varint(m, value);
}

static void put_bytes(struct message* m, unsigned field, const void* bytes, size_t size) {
    put_varint(m, field << 3 | 2);
    put_varint(m, size);
    for (size_t i = 0; i < size; i++) put_byte(m, ((const unsigned char*)bytes)[i]);
}

// Puts `part` into `m`, and empties it.
static void put_message(struct message* m, unsigned field, struct message* part) {
    put_bytes(m, field, part->bytes, part->size);
    free(part->bytes);
    *part = (struct message){0};
}

// --- the table of strings; number 0 is ""

struct strings {
    const char** list;
    size_t count;
};

static uint64_t string_of(struct strings* strings, const char* text) {
    for (size_t i = 0; i < strings->count; i++)
        if (strcmp(strings->list[i], text) == 0) return i;
    strings->list = heap_more(strings->list, strings->count, sizeof *strings->list);
    strings->list[strings->count] = text;
    return strings->count++;
}

struct writer {
    const struct heap_profile* profile;
    struct message out;
    struct strings strings;
    uint64_t functions;
};

static void put_type(struct writer* w, unsigned field, const char* type, const char* unit) {
    struct message part = {0};
    put_number(&part, 1, string_of(&w->strings, type));
    put_number(&part, 2, string_of(&w->strings, unit));
    put_message(&w->out, field, &part);
}

// Outside of Linux's page size nothing is a mapping, so starts are whole pages.
static void put_mappings(struct writer* w) {
    for (size_t i = 0; i < w->profile->module_count; i++) {
        const struct heap_module* module = &w->profile->modules[i];
        struct message part = {0};
        put_number(&part, 1, i + 1);
        put_number(&part, 2, module->start);
        put_number(&part, 3, (module->end + 4095) & ~UINT64_C(4095));
        put_number(&part, 5, string_of(&w->strings, module->path));
        put_number(&part, 6, string_of(&w->strings, strcmp(module->build_id, "-") == 0 ? "" : module->build_id));
        put_number(&part, 7, 1);
        put_number(&part, 8, 1);
        put_number(&part, 9, 1);
        put_number(&part, 10, 1);
        put_message(&w->out, 3, &part);
    }
}

static uint64_t put_function(struct writer* w, const struct heap_line* line) {
    struct message part = {0};
    put_number(&part, 1, ++w->functions);
    put_number(&part, 2, string_of(&w->strings, line->function));
    put_number(&part, 3, string_of(&w->strings, line->linker_name));
    put_number(&part, 4, string_of(&w->strings, line->file));
    put_message(&w->out, 5, &part);
    return w->functions;
}

static void put_locations(struct writer* w) {
    for (size_t i = 0; i < w->profile->frame_count; i++) {
        const struct heap_frame* frame = &w->profile->frames[i];
        struct message part = {0};
        put_number(&part, 1, i + 1);
        put_number(&part, 2, frame->module + 1);
        put_number(&part, 3, frame->address + w->profile->modules[frame->module].bias);
        for (size_t n = 0; n < frame->line_count; n++) {
            struct message line = {0};
            put_number(&line, 1, put_function(w, &frame->lines[n]));
            put_number(&line, 2, frame->lines[n].line);
            put_message(&part, 4, &line);
        }
        put_message(&w->out, 4, &part);
    }
}

static void put_samples(struct writer* w) {
    static const enum heap_value values[] = {HEAP_ALL_BLOCKS, HEAP_ALL_BYTES, HEAP_LIVE_BLOCKS, HEAP_LIVE_BYTES};
    for (size_t i = 0; i < w->profile->stack_count; i++) {
        const struct heap_stack* stack = &w->profile->stacks[i];
        struct message part = {0}, list = {0};
        for (size_t n = 0; n < stack->depth; n++) put_varint(&list, stack->frames[n] + 1);
        put_message(&part, 1, &list);
        for (size_t n = 0; n < sizeof values / sizeof values[0]; n++)
            put_varint(&list, (uint64_t)stack->values[values[n]]);
        put_message(&part, 2, &list);
        put_message(&w->out, 2, &part);
    }
}

static void put_profile(struct writer* w) {
    string_of(&w->strings, "");
    put_type(w, 1, "alloc_objects", "count");
    put_type(w, 1, "alloc_space", "bytes");
    put_type(w, 1, "inuse_objects", "count");
    put_type(w, 1, "inuse_space", "bytes");
    put_samples(w);
    put_mappings(w);
    put_locations(w);
    put_number(&w->out, 9, (uint64_t)time(NULL) * UINT64_C(1000000000));
    put_type(w, 11, "space", "bytes");
    put_number(&w->out, 12, w->profile->rate);
    put_number(&w->out, 14, string_of(&w->strings, "inuse_space"));
    for (size_t i = 0; i < w->strings.count; i++) put_bytes(&w->out, 6, w->strings.list[i], strlen(w->strings.list[i]));
}

// --- the file

static bool write_gzipped(const struct message* m, FILE* out) {
    enum { GZIP = 16 + MAX_WBITS, MEMORY = 8 };
    z_stream stream = {.next_in = m->bytes, .avail_in = (uInt)m->size};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        errno = ENOMEM;
        return false;
    }
    int state = Z_OK;
    bool written = true;
    while (state == Z_OK && written) {
        unsigned char piece[1 << 14];
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        state = deflate(&stream, Z_FINISH);
        size_t size = sizeof piece - stream.avail_out;
        written = fwrite(piece, 1, size, out) == size;
    }
    deflateEnd(&stream);
    return written;
}

bool heap_write_pprof(const struct heap_profile* profile, FILE* out) {
    struct writer w = {.profile = profile};
    put_profile(&w);
    bool written = write_gzipped(&w.out, out);
    free(w.out.bytes);
    free(w.strings.list);
    return written;
}
