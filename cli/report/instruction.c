#include "report/instruction.h"

#include <stdbool.h>

enum map { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_OTHER };

struct instruction {
    enum map map;
    uint8_t opcode;
    unsigned reg;         // of the ModRM byte: what completes the opcode of some
    bool has_f2, has_f3;  // mandatory prefixes, also those inside VEX and EVEX
    bool vector;          // VEX or EVEX
    bool evex;
};

// --- prefixes

struct reader {
    const uint8_t* at;
    const uint8_t* end;
};

static uint8_t next(struct reader* reader) {
    return reader->at < reader->end ? *reader->at++ : 0;
}

static bool is_legacy_prefix(uint8_t byte) {
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    for (size_t i = 0; i < sizeof prefixes; i++)
        if (prefixes[i] == byte) return true;
    return false;
}

static void set_vector(struct instruction* in, unsigned map, unsigned prefix, bool evex) {
    static const enum map maps[] = {MAP_OTHER, MAP_0F, MAP_0F38, MAP_0F3A};
    in->vector = true;
    in->evex = evex;
    in->map = map < 4 ? maps[map] : MAP_OTHER;
    in->has_f3 = prefix == 2;
    in->has_f2 = prefix == 3;
}

static void read_escape(struct instruction* in, struct reader* reader, uint8_t byte) {
    if (byte == 0xc5) {
        set_vector(in, 1, next(reader) & 3, false);
    } else if (byte == 0xc4) {
        unsigned map = next(reader) & 31;
        set_vector(in, map, next(reader) & 3, false);
    } else if (byte == 0x62) {
        unsigned map = next(reader) & 7;
        set_vector(in, map, next(reader) & 3, true);
        next(reader);
    } else if (byte == 0x0f) {
        in->map = MAP_0F;
        in->opcode = next(reader);
        if (in->opcode == 0x38) in->map = MAP_0F38;
        if (in->opcode == 0x3a) in->map = MAP_0F3A;
        if (in->map == MAP_0F) return;
    } else {
        in->opcode = byte;
        return;
    }
    in->opcode = next(reader);
}

static struct instruction read_instruction(const uint8_t* code, size_t bytes) {
    struct instruction in = {.map = MAP_ONE_BYTE};
    struct reader reader = {code, code + bytes};
    uint8_t byte = next(&reader);
    for (; is_legacy_prefix(byte); byte = next(&reader)) {
        in.has_f2 |= byte == 0xf2;
        in.has_f3 |= byte == 0xf3;
    }
    if (byte >> 4 == 4) byte = next(&reader);  // REX
    read_escape(&in, &reader, byte);
    in.reg = next(&reader) >> 3 & 7;
    return in;
}

// --- what writes

static bool is_one_of(uint8_t opcode, const uint8_t* list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (list[i] == opcode) return true;
    return false;
}
#define IS_ONE_OF(opcode, list) is_one_of((opcode), (list), sizeof(list))

// By ModRM.reg: bit n is set if the operation n writes memory.
static unsigned group_writes(uint8_t opcode) {
    switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83: return 0x7f;  // all but cmp
    case 0xc0:
    case 0xc1:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return 0xff;  // shifts
    case 0xf6:
    case 0xf7: return 0x0c;  // not, neg
    case 0xfe:
    case 0xff: return 0x03;  // inc, dec
    case 0xd9: return 0xcc;  // fst, fstp, fnstenv, fnstcw
    case 0xdb: return 0x8e;  // fisttp, fist, fistp, fstp
    case 0xdd: return 0xce;  // fisttp, fst, fstp, fnsave, fnstsw
    case 0xdf: return 0xce;  // fisttp, fist, fistp, fbstp, fistp
    default: return 0;
    }
}

static bool one_byte_writes(const struct instruction* in) {
    static const uint8_t writing[] = {0x86, 0x87, 0x88, 0x89, 0x8c, 0x8f, 0xa2,
                                      0xa3, 0xaa, 0xab, 0xc6, 0xc7, 0x6c, 0x6d};
    if (in->opcode < 0x38) return (in->opcode & 7) < 2;  // add, or, adc, sbb, and, sub, xor to memory
    return IS_ONE_OF(in->opcode, writing) || (group_writes(in->opcode) >> in->reg & 1) != 0;
}

static bool map_0f_writes(const struct instruction* in) {
    static const uint8_t writing[] = {0x11, 0x13, 0x17, 0x29, 0x2b, 0x7f, 0xa4, 0xa5, 0xab, 0xac, 0xad,
                                      0xb0, 0xb1, 0xb3, 0xbb, 0xc0, 0xc1, 0xc3, 0xd6, 0xe7, 0xf7};
    if (in->vector && in->opcode >= 0x90 && in->opcode <= 0x9f) return in->opcode == 0x91;  // kmov to memory
    if (in->opcode >= 0x90 && in->opcode <= 0x9f) return true;                              // setcc
    switch (in->opcode) {
    case 0x7e: return !in->has_f3;           // with it: movq from memory
    case 0xba: return in->reg > 4;           // bts, btr, btc
    case 0xae: return 0x59u >> in->reg & 1;  // fxsave, stmxcsr, xsave, xsaveopt
    case 0xc7: return 0x32u >> in->reg & 1;  // cmpxchg8b, cmpxchg16b, xsavec, xsaves
    default: return IS_ONE_OF(in->opcode, writing);
    }
}

static bool map_0f38_writes(const struct instruction* in) {
    static const uint8_t scatters[] = {0x63, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3};  // and stores of compressed vectors
    static const uint8_t masked[] = {0x2e, 0x2f, 0x8e};
    if (!in->vector) return (in->opcode == 0xf1 && !in->has_f2) || in->opcode == 0xf9;  // movbe, movdiri
    if (!in->evex) return IS_ONE_OF(in->opcode, masked);
    bool narrowing = in->has_f3 && in->opcode >> 4 <= 3 && in->opcode >> 4 > 0 && (in->opcode & 15) < 6;  // vpmov
    return narrowing || IS_ONE_OF(in->opcode, scatters);
}

static bool map_0f3a_writes(const struct instruction* in) {
    static const uint8_t writing[] = {0x14, 0x15, 0x16, 0x17, 0x19, 0x1b, 0x1d, 0x39, 0x3b};  // extractions
    return IS_ONE_OF(in->opcode, writing);
}

// It reads at rsi and writes at rdi. The address may be a few bytes from there, behind the last whole step.
static bool is_movs(const struct instruction* in) {
    return in->map == MAP_ONE_BYTE && (in->opcode == 0xa4 || in->opcode == 0xa5);
}

static bool writes(const struct instruction* in) {
    switch (in->map) {
    case MAP_ONE_BYTE: return one_byte_writes(in);
    case MAP_0F: return map_0f_writes(in);
    case MAP_0F38: return map_0f38_writes(in);
    case MAP_0F3A: return map_0f3a_writes(in);
    case MAP_OTHER: break;
    }
    return false;
}

static bool is_near(uint64_t a, uint64_t b) {
    enum { STEP = 64 };
    return a - b + STEP < 2 * STEP;
}

// Calls and pushes write to the stack alone. With an operand in memory they read that first.
static bool is_push(const struct instruction* in) {
    bool stack = in->opcode >> 3 == 0x50 >> 3 || in->opcode == 0x68 || in->opcode == 0x6a || in->opcode == 0xe8;
    return in->map == MAP_ONE_BYTE && stack;
}

static bool is_push_of_memory(const struct instruction* in) {
    return in->map == MAP_ONE_BYTE && in->opcode == 0xff && (in->reg == 2 || in->reg == 6);
}

enum access instruction_access(const struct instruction_state* state) {
    struct instruction in = read_instruction(state->code, state->bytes);
    if (state->bytes == 0 || in.map == MAP_OTHER) return ACCESS_UNKNOWN;
    bool write = is_push(&in) || writes(&in);
    if (is_movs(&in)) write = is_near(state->fault, state->to);
    if (is_push_of_memory(&in)) write = is_near(state->fault, state->stack);
    return write ? ACCESS_WRITE : ACCESS_READ;
}
