#include "stack/cfi_program.h"

#include "stack/cfi_address.h"
#include "stack/cfi_value.h"
#include "stack/registers.h"

enum { KEPT_MOST = 4, STEPS_MOST = 1 << 16 };

// Where a register of the caller is.
typedef struct {
    enum { IN_REGISTER, NOWHERE, IN_MEMORY, ELSEWHERE } how;
    CfiValue at;  // IN_MEMORY: its address
} Saved;

typedef struct {
    CfiValue cfa;
    Saved fp, pc;
} Row;

typedef struct {
    const CfiCie* cie;
    Bytes bytes;
    uintptr_t at, wanted;  // places in the code
    Row row;
    Row first;  // what the CIE's program made
    Row kept[KEPT_MOST];
    unsigned kept_count;
    bool bad;
} Run;

// --- registers

static Saved* saved_of(Run* run, uint64_t reg) {
    if (reg == run->cie->return_register) return &run->row.pc;
    return reg == DWARF_FP ? &run->row.fp : NULL;
}

static void set_saved(Run* run, uint64_t reg, Saved saved) {
    Saved* place = saved_of(run, reg);
    if (place) *place = saved;
}

static int64_t scaled(const Run* run, uint64_t factor) {
    return (int64_t)(factor * (uint64_t)run->cie->data_step);
}

static void at_offset(Run* run, uint64_t reg, int64_t offset) {
    set_saved(run, reg, (Saved){IN_MEMORY, {VALUE_CFA, false, offset}});
}

static void restore(Run* run, uint64_t reg) {
    if (reg == run->cie->return_register)
        run->row.pc = run->first.pc;
    else if (reg == DWARF_FP)
        run->row.fp = run->first.fp;
}

static Bytes block(Run* run) {
    uint64_t length = bytes_unsigned(&run->bytes);
    return bytes_part(&run->bytes, length);
}

static void at_expression(Run* run, uint64_t reg) {
    const CfiValue cfa = {VALUE_CFA, false, 0};
    CfiValue at = cfi_expression(block(run), run->wanted, &cfa);
    bool usable = !at.is_loaded && at.base != VALUE_OTHER && at.base != VALUE_NUMBER;
    set_saved(run, reg, (Saved){usable ? IN_MEMORY : ELSEWHERE, at});
}

// --- rows

static void keep_row(Run* run) {
    if (run->kept_count == KEPT_MOST)
        run->bad = true;
    else
        run->kept[run->kept_count++] = run->row;
}

static void take_kept_row(Run* run) {
    if (run->kept_count == 0)
        run->bad = true;
    else
        run->row = run->kept[--run->kept_count];
}

// --- operations

enum {
    ADVANCE = 1,  // in the upper two bits; the lower six are the operand
    OFFSET = 2,
    RESTORE = 3,
    NOP = 0x00,
    SET_LOC = 0x01,
    ADVANCE_1 = 0x02,
    ADVANCE_2 = 0x03,
    ADVANCE_4 = 0x04,
    OFFSET_EXTENDED = 0x05,
    RESTORE_EXTENDED = 0x06,
    UNDEFINED = 0x07,
    SAME_VALUE = 0x08,
    REGISTER = 0x09,
    REMEMBER = 0x0a,
    RESTORE_STATE = 0x0b,
    DEF_CFA = 0x0c,
    DEF_CFA_REGISTER = 0x0d,
    DEF_CFA_OFFSET = 0x0e,
    DEF_CFA_EXPRESSION = 0x0f,
    EXPRESSION = 0x10,
    OFFSET_EXTENDED_SF = 0x11,
    DEF_CFA_SF = 0x12,
    DEF_CFA_OFFSET_SF = 0x13,
    VAL_OFFSET = 0x14,
    VAL_OFFSET_SF = 0x15,
    VAL_EXPRESSION = 0x16,
    NEGATE_RA_STATE = 0x2d,  // aarch64: whether the return address is signed; plain_address() does for both
    ARGS_SIZE = 0x2e,
};

static void advance(Run* run, uint64_t steps) {
    run->at += steps * run->cie->code_step;
}

static bool run_advance(Run* run, uint8_t op) {
    switch (op) {
    case SET_LOC: run->at = cfi_address(&run->bytes, run->cie->encoding, run->cie->index); return true;
    case ADVANCE_1: advance(run, bytes_u8(&run->bytes)); return true;
    case ADVANCE_2: advance(run, bytes_u16(&run->bytes)); return true;
    case ADVANCE_4: advance(run, bytes_u32(&run->bytes)); return true;
    default: return false;
    }
}

static bool run_cfa(Run* run, uint8_t op) {
    Bytes* b = &run->bytes;
    CfiValue* cfa = &run->row.cfa;
    uint64_t reg;
    switch (op) {
    case DEF_CFA:
        reg = bytes_unsigned(b);
        *cfa = cfi_register(reg, (int64_t)bytes_unsigned(b));
        return true;
    case DEF_CFA_SF:
        reg = bytes_unsigned(b);
        *cfa = cfi_register(reg, scaled(run, (uint64_t)bytes_signed(b)));
        return true;
    case DEF_CFA_REGISTER: *cfa = cfi_register(bytes_unsigned(b), cfa->offset); return true;
    case DEF_CFA_OFFSET: cfa->offset = (int64_t)bytes_unsigned(b); return true;
    case DEF_CFA_OFFSET_SF: cfa->offset = scaled(run, (uint64_t)bytes_signed(b)); return true;
    case DEF_CFA_EXPRESSION: *cfa = cfi_expression(block(run), run->wanted, NULL); return true;
    default: return false;
    }
}

// What no caller's program counter or frame pointer is found by.
static void elsewhere(Run* run, uint64_t reg) {
    set_saved(run, reg, (Saved){ELSEWHERE, {VALUE_OTHER, false, 0}});
}

static bool run_saved(Run* run, uint8_t op) {
    Bytes* b = &run->bytes;
    uint64_t reg = bytes_unsigned(b);
    switch (op) {
    case OFFSET_EXTENDED: at_offset(run, reg, scaled(run, bytes_unsigned(b))); return true;
    case OFFSET_EXTENDED_SF: at_offset(run, reg, scaled(run, (uint64_t)bytes_signed(b))); return true;
    case RESTORE_EXTENDED: restore(run, reg); return true;
    case UNDEFINED: set_saved(run, reg, (Saved){.how = NOWHERE}); return true;
    case SAME_VALUE: set_saved(run, reg, (Saved){.how = IN_REGISTER}); return true;
    case EXPRESSION: at_expression(run, reg); return true;
    case REGISTER:
    case VAL_OFFSET:
    case VAL_OFFSET_SF:
        bytes_unsigned(b);
        elsewhere(run, reg);
        return true;
    case VAL_EXPRESSION:
        block(run);
        elsewhere(run, reg);
        return true;
    default: return false;
    }
}

static void run_one(Run* run) {
    uint8_t op = bytes_u8(&run->bytes), low = op & 0x3f;
    switch (op >> 6) {
    case ADVANCE: advance(run, low); return;
    case OFFSET: at_offset(run, low, scaled(run, bytes_unsigned(&run->bytes))); return;
    case RESTORE: restore(run, low); return;
    default: break;
    }
    if (op == NOP || op == NEGATE_RA_STATE) return;
    if (op == ARGS_SIZE)
        bytes_unsigned(&run->bytes);
    else if (op == REMEMBER)
        keep_row(run);
    else if (op == RESTORE_STATE)
        take_kept_row(run);
    else if (!run_advance(run, op) && !run_cfa(run, op) && !run_saved(run, op))
        run->bad = true;
}

// Up to the first row that begins behind the wanted place.
static void run_all(Run* run, Bytes program) {
    run->bytes = program;
    for (int steps = 0; steps < STEPS_MOST && bytes_left(&run->bytes) > 0 && !run->bad && !run->bytes.bad; steps++) {
        Row before = run->row;
        run_one(run);
        if (run->at > run->wanted) {
            run->row = before;
            return;
        }
    }
    run->bad = run->bad || run->bytes.bad || bytes_left(&run->bytes) > 0;
}

// --- the row as a rule

enum { WORD = 8 };

static bool place_of(const Saved* saved, RulePlace* place, int64_t* words) {
    static const RulePlace places[] = {[VALUE_CFA] = PLACE_CFA, [VALUE_SP] = PLACE_SP, [VALUE_FP] = PLACE_FP};
    *words = 0;
    *place = PLACE_REGISTER;
    if (saved->how == IN_REGISTER || saved->how == NOWHERE) return true;
    if (saved->how == ELSEWHERE || saved->at.offset % WORD != 0) return false;
    *words = saved->at.offset / WORD;
    *place = places[saved->at.base];
    return true;
}

static FrameRule rule_of(const Run* run) {
    const Row* row = &run->row;
    RulePlace fp_place, pc_place;
    int64_t fp, pc, cfa = row->cfa.offset;
    if (row->pc.how == NOWHERE) return (FrameRule){.kind = RULE_LAST};
    bool usable = (row->cfa.base == VALUE_SP || row->cfa.base == VALUE_FP) && place_of(&row->fp, &fp_place, &fp) &&
                  place_of(&row->pc, &pc_place, &pc);
    if (!usable || cfa < -CFA_OFFSET_MOST || cfa > CFA_OFFSET_MOST || fp != (int16_t)fp || pc != (int16_t)pc)
        return (FrameRule){.kind = RULE_UNKNOWN};
    return (FrameRule){.fp_offset = (int16_t)fp,
                       .pc_offset = (int16_t)pc,
                       .cfa_offset = (uint64_t)cfa & 0xffffff,
                       .kind = run->cie->is_signal ? RULE_SIGNAL : RULE_CALL,
                       .cfa_from_fp = row->cfa.base == VALUE_FP,
                       .cfa_is_loaded = row->cfa.is_loaded,
                       .fp_place = fp_place & 3,
                       .pc_place = pc_place & 3};
}

FrameRule cfi_run(const CfiCie* cie, Bytes program, uintptr_t function, uintptr_t pc) {
    Run run = {.cie = cie, .at = function, .wanted = pc};
    run_all(&run, cie->program);
    run.first = run.row;
    if (!run.bad) run_all(&run, program);
    return run.bad ? (FrameRule){.kind = RULE_UNKNOWN} : rule_of(&run);
}
