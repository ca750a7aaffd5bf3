#include "report/source_line.h"

#include "report/elf_image.h"

#include <stdio.h>
#include <string.h>

enum { SECTION_MAX = 256 << 20, FORMATS_MAX = 8 };

// A part of a section that is read from its start to its end. Behind the end all is zero, and `at` stays there.
struct reader {
    const unsigned char *at, *end;
};

struct section {
    const unsigned char* bytes;
    size_t size;
};

// What the header of a unit says.
struct unit {
    const struct section *strings, *line_strings;  // .debug_str and .debug_line_str
    uint64_t version, min_length, opcode_base, line_range;
    bool wide;  // offsets of 8 bytes
    int64_t line_base;
    const unsigned char* lengths;  // operands of the standard opcodes, from opcode 1
    struct reader files, program;
};

// Numbers

static uint64_t take(struct reader* reader, size_t bytes) {
    uint64_t value = 0;
    size_t left = (size_t)(reader->end - reader->at);
    if (bytes > left) {
        reader->at = reader->end;
        return 0;
    }
    if (bytes <= sizeof value) memcpy(&value, reader->at, bytes);
    reader->at += bytes;
    return value;
}

static uint64_t take_unsigned(struct reader* reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; reader->at < reader->end; shift += 7) {
        unsigned char byte = *reader->at++;
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
    }
    return value;
}

static int64_t take_signed(struct reader* reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; reader->at < reader->end;) {
        unsigned char byte = *reader->at++;
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) != 0) continue;
        if ((byte & 0x40) != 0 && shift < 64) value |= UINT64_MAX << shift;
        break;
    }
    return (int64_t)value;
}

static const char* take_string(struct reader* reader) {
    const char* text = (const char*)reader->at;
    size_t left = (size_t)(reader->end - reader->at), length = strnlen(text, left);
    take(reader, length < left ? length + 1 : left);
    return length < left ? text : "";
}

static const char* string_at(const struct section* strings, uint64_t offset) {
    bool whole = offset < strings->size && memchr(strings->bytes + offset, 0, strings->size - offset) != NULL;
    return whole ? (const char*)strings->bytes + offset : "";
}

// Names of files

enum { CONTENT_PATH = 1 };
enum {
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4 = 0x04,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_DATA1 = 0x0b,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
};

// The text of a field; "" where it is none.
static const char* take_field(const struct unit* unit, struct reader* reader, uint64_t form) {
    switch (form) {
    case FORM_STRING: return take_string(reader);
    case FORM_LINE_STRP: return string_at(unit->line_strings, take(reader, unit->wide ? 8 : 4));
    case FORM_STRP: return string_at(unit->strings, take(reader, unit->wide ? 8 : 4));
    case FORM_UDATA: take_unsigned(reader); return "";
    case FORM_DATA1: take(reader, 1); return "";
    case FORM_DATA2: take(reader, 2); return "";
    case FORM_DATA4: take(reader, 4); return "";
    case FORM_DATA8: take(reader, 8); return "";
    case FORM_DATA16: take(reader, 16); return "";
    case FORM_BLOCK2: take(reader, take(reader, 2)); return "";
    case FORM_BLOCK4: take(reader, take(reader, 4)); return "";
    case FORM_BLOCK: take(reader, take_unsigned(reader)); return "";
    default: reader->at = reader->end; return "";
    }
}

// A table of version 5: the formats of its fields, and its entries. Gives the path of entry `wanted`.
static const char* take_table(const struct unit* unit, struct reader* reader, uint64_t wanted) {
    uint64_t content[FORMATS_MAX] = {0}, form[FORMATS_MAX] = {0}, formats = take(reader, 1);
    const char* found = "";
    if (formats > FORMATS_MAX) reader->at = reader->end;
    for (uint64_t i = 0; i < formats && reader->at < reader->end; i++) {
        content[i] = take_unsigned(reader);
        form[i] = take_unsigned(reader);
    }
    uint64_t count = take_unsigned(reader);
    for (uint64_t entry = 0; entry < count && reader->at < reader->end; entry++) {
        for (uint64_t i = 0; i < formats; i++) {
            const char* text = take_field(unit, reader, form[i]);
            if (entry == wanted && content[i] == CONTENT_PATH) found = text;
        }
    }
    return found;
}

static const char* file_name(const struct unit* unit, uint64_t number) {
    struct reader reader = unit->files;
    if (unit->version >= 5) {
        take_table(unit, &reader, UINT64_MAX);  // directories
        return take_table(unit, &reader, number);
    }
    while (*take_string(&reader) != '\0') {}  // directories
    for (uint64_t i = 1; reader.at < reader.end; i++) {
        const char* name = take_string(&reader);
        if (*name == '\0' || i == number) return name;
        for (int field = 0; field < 3; field++) take_unsigned(&reader);
    }
    return "";
}

// The program of a unit makes rows of a table of addresses and lines. Wanted is the row before the first that is beyond the address.

struct row {
    uint64_t address, file, line;
};

struct machine {
    const struct unit* unit;
    struct reader reader;
    struct row now, last;
    bool has_last;  // in this sequence
    bool dropped;   // the linker left its code out: its addresses are from 0 on
    uint64_t wanted;
};

static const struct row first_row = {.file = 1, .line = 1};

static bool emit(struct machine* machine) {
    bool found = machine->has_last && !machine->dropped && machine->last.address <= machine->wanted &&
                 machine->wanted < machine->now.address;
    if (found) return true;
    machine->last = machine->now;
    machine->has_last = true;
    return false;
}

static bool step_extended(struct machine* machine) {
    enum { END_SEQUENCE = 1, SET_ADDRESS = 2 };
    struct reader* reader = &machine->reader;
    uint64_t length = take_unsigned(reader);
    if (length == 0 || length > (uint64_t)(reader->end - reader->at)) {
        reader->at = reader->end;
        return false;
    }
    struct reader operands = {reader->at, reader->at + length};
    reader->at += length;
    uint64_t opcode = take(&operands, 1);
    if (opcode == SET_ADDRESS) {
        machine->now.address = take(&operands, length - 1 < 8 ? length - 1 : 8);
        machine->dropped = machine->now.address == 0;
    }
    if (opcode != END_SEQUENCE) return false;
    bool found = emit(machine);
    machine->now = first_row;
    machine->has_last = machine->dropped = false;
    return found;
}

static void advance(struct machine* machine, uint64_t operation) {
    machine->now.address += operation * machine->unit->min_length;
}

static bool step_standard(struct machine* machine, uint64_t opcode) {
    enum { COPY = 1, ADVANCE_PC, ADVANCE_LINE, SET_FILE, CONST_ADD_PC = 8, FIXED_ADVANCE_PC };
    struct reader* reader = &machine->reader;
    const struct unit* unit = machine->unit;
    switch (opcode) {
    case COPY: return emit(machine);
    case ADVANCE_PC: advance(machine, take_unsigned(reader)); return false;
    case ADVANCE_LINE: machine->now.line += (uint64_t)take_signed(reader); return false;
    case SET_FILE: machine->now.file = take_unsigned(reader); return false;
    case CONST_ADD_PC: advance(machine, (255 - unit->opcode_base) / unit->line_range); return false;
    case FIXED_ADVANCE_PC: machine->now.address += take(reader, 2); return false;
    default:
        for (unsigned i = 0; i < unit->lengths[opcode - 1]; i++) take_unsigned(reader);
        return false;
    }
}

static bool step(struct machine* machine) {
    const struct unit* unit = machine->unit;
    uint64_t opcode = take(&machine->reader, 1);
    if (opcode == 0) return step_extended(machine);
    if (opcode < unit->opcode_base) return step_standard(machine, opcode);
    uint64_t special = opcode - unit->opcode_base;
    advance(machine, special / unit->line_range);
    machine->now.line += (uint64_t)(unit->line_base + (int64_t)(special % unit->line_range));
    return emit(machine);
}

static bool find_in_unit(const struct unit* unit, uint64_t address, struct source_line* out) {
    struct machine machine = {.unit = unit, .reader = unit->program, .now = first_row, .wanted = address};
    while (machine.reader.at < machine.reader.end) {
        if (!step(&machine)) continue;
        const char *path = file_name(unit, machine.last.file), *slash = strrchr(path, '/');
        snprintf(out->file, sizeof out->file, "%s", slash != NULL ? slash + 1 : path);
        out->line = machine.last.line;
        return out->file[0] != '\0' && out->line != 0;
    }
    return false;
}

// A unit's header; `all` is left behind the unit. Several operations an instruction (VLIW) are not understood.
static bool open_unit(struct unit* unit, struct reader* all) {
    uint64_t length = take(all, 4);
    unit->wide = length == 0xffffffff;
    if (unit->wide) length = take(all, 8);
    if (length == 0 || length > (uint64_t)(all->end - all->at)) {
        all->at = all->end;
        return false;
    }
    struct reader reader = {all->at, all->at + length};
    all->at += length;
    unit->version = take(&reader, 2);
    if (unit->version < 2 || unit->version > 5) return false;
    if (unit->version >= 5) take(&reader, 2);  // sizes of addresses and of segment selectors
    uint64_t header = take(&reader, unit->wide ? 8 : 4);
    if (header > (uint64_t)(reader.end - reader.at)) return false;
    unit->program = (struct reader){reader.at + header, reader.end};
    unit->min_length = take(&reader, 1);
    if (unit->version >= 4 && take(&reader, 1) > 1) return false;
    take(&reader, 1);                        // whether a row begins a statement
    const uint64_t base = take(&reader, 1);  // a signed byte
    unit->line_base = (int64_t)base - (base > 127 ? 256 : 0);
    unit->line_range = take(&reader, 1);
    unit->opcode_base = take(&reader, 1);
    unit->lengths = reader.at;
    if (unit->opcode_base == 0 || unit->line_range == 0) return false;
    take(&reader, unit->opcode_base - 1);
    unit->files = (struct reader){reader.at, unit->program.at};
    return reader.at <= unit->program.at;
}

static struct section section_of(const struct elf_image* image, const char* name) {
    struct section section = {.size = 0};
    section.bytes = elf_section(image, name, &section.size);
    if (section.bytes == NULL || section.size > SECTION_MAX) section.size = 0;
    return section;
}

// All that is ever looked through, in bytes: with much debug information and many places to name a report must not take minutes.
static uint64_t patience = UINT64_C(1) << 30;

bool source_line_at(const char* path, uint64_t file_offset, struct source_line* out) {
    struct elf_image image;
    uint64_t address;
    bool found = false;
    if (!elf_open(&image, path)) return false;
    if (elf_address_of(&image, file_offset, &address)) {
        struct section lines = section_of(&image, ".debug_line"), strings = section_of(&image, ".debug_str"),
                       line_strings = section_of(&image, ".debug_line_str");
        struct reader all = {lines.bytes, lines.bytes == NULL ? NULL : lines.bytes + lines.size};
        if (lines.size > patience) all.at = all.end;
        patience -= lines.size < patience ? lines.size : patience;
        while (!found && all.at < all.end) {
            struct unit unit = {.strings = &strings, .line_strings = &line_strings};
            if (open_unit(&unit, &all)) found = find_in_unit(&unit, address, out);
        }
    }
    elf_close(&image);
    return found;
}
