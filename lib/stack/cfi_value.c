#include "stack/cfi_value.h"

#include "stack/registers.h"

enum { VALUES_MOST = 8 };

typedef struct {
    CfiValue value[VALUES_MOST];
    unsigned count;
    bool bad;
} Values;

static CfiValue number(uint64_t n) {
    return (CfiValue){VALUE_NUMBER, false, (int64_t)n};
}

static void push(Values* v, CfiValue value) {
    if (v->count == VALUES_MOST || value.base == VALUE_OTHER)
        v->bad = true;
    else
        v->value[v->count++] = value;
}

static CfiValue pop(Values* v) {
    if (v->count > 0) return v->value[--v->count];
    v->bad = true;
    return number(0);
}

CfiValue cfi_register(uint64_t reg, int64_t offset) {
    if (reg == DWARF_SP) return (CfiValue){VALUE_SP, false, offset};
    if (reg == DWARF_FP) return (CfiValue){VALUE_FP, false, offset};
    return (CfiValue){VALUE_OTHER, false, offset};  // the register may change, and the offset stay
}

// --- operations

enum {
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_CONST8U = 0x0e,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_LIT0 = 0x30,
    OP_BREG0 = 0x70,
    OP_BREGX = 0x92,
    REGISTERS = 32,
};

static bool is_constant(uint8_t op) {
    return (op >= OP_CONST1U && op <= OP_CONSTS) || (op >= OP_LIT0 && op < OP_LIT0 + REGISTERS);
}

static uint64_t constant(uint8_t op, Bytes* b) {
    switch (op) {
    case OP_CONST1U: return bytes_u8(b);
    case OP_CONST1S: return (uint64_t)(int8_t)bytes_u8(b);
    case OP_CONST2U: return bytes_u16(b);
    case OP_CONST2S: return (uint64_t)(int16_t)bytes_u16(b);
    case OP_CONST4U: return bytes_u32(b);
    case OP_CONST4S: return (uint64_t)(int32_t)bytes_u32(b);
    case OP_CONST8U:
    case OP_CONST8S: return bytes_u64(b);
    case OP_CONSTU: return bytes_unsigned(b);
    case OP_CONSTS: return (uint64_t)bytes_signed(b);
    default: return (uint64_t)(op - OP_LIT0);
    }
}

static CfiValue of_register(uint8_t op, Bytes* b, uintptr_t pc) {
    uint64_t reg = op == OP_BREGX ? bytes_unsigned(b) : (uint64_t)(op - OP_BREG0);
    int64_t offset = bytes_signed(b);
    return reg == DWARF_HERE ? number(pc + (uint64_t)offset) : cfi_register(reg, offset);
}

static CfiValue sum(CfiValue a, CfiValue b) {
    if (a.base == VALUE_NUMBER && !a.is_loaded) {
        CfiValue other = a;
        a = b;
        b = other;
    }
    if (b.base != VALUE_NUMBER || a.is_loaded || b.is_loaded) return (CfiValue){VALUE_OTHER, false, 0};
    a.offset = (int64_t)((uint64_t)a.offset + (uint64_t)b.offset);
    return a;
}

static CfiValue loaded(CfiValue a) {
    if (a.is_loaded || a.base == VALUE_NUMBER) a.base = VALUE_OTHER;
    a.is_loaded = true;
    return a;
}

static CfiValue of_two_numbers(uint8_t op, int64_t a, int64_t b) {
    switch (op) {
    case OP_AND: return number((uint64_t)a & (uint64_t)b);
    case OP_SHL: return number((uint64_t)b < 64 ? (uint64_t)a << b : 0);
    case OP_EQ: return number(a == b);
    case OP_GE: return number(a >= b);
    case OP_GT: return number(a > b);
    case OP_LE: return number(a <= b);
    case OP_LT: return number(a < b);
    case OP_NE: return number(a != b);
    default: return (CfiValue){VALUE_OTHER, false, 0};
    }
}

static CfiValue of_two(uint8_t op, CfiValue a, CfiValue b) {
    bool numbers = a.base == VALUE_NUMBER && b.base == VALUE_NUMBER;
    if (op == OP_PLUS) return sum(a, b);
    if (op == OP_MINUS && b.base == VALUE_NUMBER) return sum(a, number(-(uint64_t)b.offset));
    return numbers ? of_two_numbers(op, a.offset, b.offset) : (CfiValue){VALUE_OTHER, false, 0};
}

CfiValue cfi_expression(Bytes b, uintptr_t pc, const CfiValue* first) {
    Values v = {.count = 0};
    if (first) push(&v, *first);
    while (bytes_left(&b) > 0 && !v.bad) {
        uint8_t op = bytes_u8(&b);
        if (is_constant(op)) {
            push(&v, number(constant(op, &b)));
        } else if ((op >= OP_BREG0 && op < OP_BREG0 + REGISTERS) || op == OP_BREGX) {
            push(&v, of_register(op, &b, pc));
        } else if (op == OP_DEREF) {
            push(&v, loaded(pop(&v)));
        } else if (op == OP_PLUS_UCONST) {
            push(&v, sum(pop(&v), number(bytes_unsigned(&b))));
        } else {
            CfiValue second = pop(&v), one = pop(&v);
            push(&v, of_two(op, one, second));
        }
    }
    CfiValue value = pop(&v);
    if (v.bad || b.bad) value.base = VALUE_OTHER;
    return value;
}
