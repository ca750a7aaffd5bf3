#include "stack/unwind.h"

#include "stack/cfi.h"
#include "stack/code.h"
#include "stack/registers.h"
#include "stack/rules_cache.h"
#include "stack/safe_read.h"

#include <string.h>

enum { WORD = 8 };

typedef struct {
    Registers now;
    SafeReader reader;
    bool is_whole;  // the outermost frame was reached
} Walk;

// --- one step

// A return address may lie behind the end of its function, if the call is the last instruction.
static uintptr_t place_of(const Registers* now) {
    return now->exact ? now->pc : now->pc - 1;
}

// What is not code of the program is not kept: code may be loaded there later.
static HAK_COLD FrameRule rule_from_tables(uintptr_t place, bool* is_code) {
    CfiTables tables;
    *is_code = code_tables(place, &tables);
    if (!*is_code) return (FrameRule){.kind = RULE_UNKNOWN};
    FrameRule rule = cfi_rule(&tables, place);
    rules_cache_keep(place, rule);
    return rule;
}

// A frame pointer that leads up the stack, and not far. Code without one may keep anything there.
static bool has_frame_pointer(const Registers* now) {
    enum { FAR = 1 << 20 };
    return now->fp % WORD == 0 && now->fp >= now->sp && (now->sp == 0 || now->fp - now->sp < FAR) && now->fp != 0;
}

static bool saved(Walk* walk, RulePlace place, int64_t words, uintptr_t cfa, uintptr_t in_register, uintptr_t* value) {
    const uintptr_t base[] = {[PLACE_CFA] = cfa, [PLACE_SP] = walk->now.sp, [PLACE_FP] = walk->now.fp};
    *value = in_register;
    return place == PLACE_REGISTER || safe_read(&walk->reader, base[place] + (uintptr_t)(words * WORD), value);
}

// The caller of a frame whose rule is known. false: there is none.
static bool leave(Walk* walk, FrameRule rule) {
    const Registers* now = &walk->now;
    Registers caller = {.exact = rule.kind == RULE_SIGNAL};
    uintptr_t cfa = (rule.cfa_from_fp ? now->fp : now->sp) + (uintptr_t)rule_cfa_offset(rule);
    if (rule.cfa_is_loaded && !safe_read(&walk->reader, cfa, &cfa)) return false;
    if (!saved(walk, (RulePlace)rule.pc_place, rule.pc_offset, cfa, now->link, &caller.pc)) return false;
    if (!saved(walk, (RulePlace)rule.fp_place, rule.fp_offset, cfa, now->fp, &caller.fp)) return false;
    // Only a handler's stack may be above the one that it interrupted.
    bool up = cfa > now->sp || (cfa == now->sp && now->link != 0) || caller.exact;
    caller.pc = plain_address(caller.pc);
    caller.sp = cfa;
    walk->now = caller;
    return up && caller.pc != 0;
}

// After a jump to where nothing is, the return address is still where the call left it.
static bool leave_wild_call(Walk* walk) {
    Registers* now = &walk->now;
    uintptr_t pc = now->link;
    if (CALL_PUSHES > 0 && !safe_read(&walk->reader, now->sp, &pc)) return false;
    *now = (Registers){plain_address(pc), now->sp + CALL_PUSHES, now->fp, 0, false};
    return now->pc != 0;
}

static bool is_wild(const Registers* now) {
    SafeReader reader = {0, 0};
    uintptr_t code;
    return now->exact && !safe_read(&reader, now->pc - now->pc % WORD, &code);
}

static bool leave_by_frame_pointer(Walk* walk) {
    bool has_sp = walk->now.sp != 0 && CALL_PUSHES > 0;  // else the frame pointer is not at the end of its frame
    if (!has_frame_pointer(&walk->now) || !leave(walk, frame_pointer_rule())) return false;
    if (!has_sp) walk->now.sp = 0;
    return true;
}

// Out of a signal's handler without tables.
static bool leave_signal(Walk* walk) {
#if defined(__aarch64__)
    const Registers* now = &walk->now;
    uintptr_t code, context = now->sp + CONTEXT_AT;
    const uint64_t wanted = (uint64_t)(uint32_t)SIGNAL_RETURN_SECOND << 32 | (uint32_t)SIGNAL_RETURN_FIRST;
    SafeReader reader = {0, 0};
    bool is_return = now->sp != 0 && safe_read(&reader, now->pc, &code) && code == wanted;
    if (!is_return || !safe_read(&reader, context, &code)) return false;
    walk->now = registers_of_context((const void*)context);
    return walk->now.pc != 0;
#else
    (void)walk;
    return false;
#endif
}

static bool step(Walk* walk) {
    const Registers* now = &walk->now;
    uintptr_t place = place_of(now);
    FrameRule rule;
    bool is_code = true;
    if (!rules_cache_find(place, &rule)) rule = rule_from_tables(place, &is_code);
    walk->is_whole = rule.kind == RULE_LAST;
    if (rule.kind == RULE_LAST) return false;
    bool needs_sp = !rule.cfa_from_fp || rule.fp_place == PLACE_SP || rule.pc_place == PLACE_SP;
    if (rule.kind != RULE_UNKNOWN && !(needs_sp && now->sp == 0)) return leave(walk, rule);
    if (!is_code && is_wild(now)) return leave_wild_call(walk);
    return leave_signal(walk) || leave_by_frame_pointer(walk);
}

// --- many steps

// Steps as long as they are plain, in registers alone: a copy of the walk in memory would double their time.
HAK_READS_ANYTHING static uint32_t plain_steps(Walk* walk, uintptr_t* out, uint32_t count, uint32_t most) {
    uintptr_t pc = walk->now.pc, sp = walk->now.sp, fp = walk->now.fp;
    const uintptr_t low = walk->reader.low, room = walk->reader.high - low;
    FrameRule rule;
    while (count < most && rules_cache_find(pc - 1, &rule) && rule_is_plain(rule)) {
        uintptr_t cfa = (rule.cfa_from_fp ? fp : sp) + (uintptr_t)rule_cfa_offset(rule);
        uintptr_t pc_at = cfa - WORD, fp_at = cfa + (uintptr_t)(rule.fp_offset * WORD);
        if (cfa <= sp || pc_at - low >= room || fp_at - low > room - WORD || cfa % WORD != 0) break;
        uintptr_t next = plain_address(*(const uintptr_t*)pc_at);
        if (next == 0) break;
        if (rule.fp_place == PLACE_CFA) fp = *(const uintptr_t*)fp_at;
        sp = cfa;
        pc = next;
        out[count++] = pc;
    }
    walk->now = (Registers){.pc = pc, .sp = sp, .fp = fp};
    return count;
}

// --- walks

// A walk that broke off may have used the rules of a library that is gone. true: one of the last rules was such.
static HAK_COLD bool renew_last_rules(const uintptr_t* addresses, uint32_t count) {
    bool some = false;
    for (uint32_t i = count < 2 ? 0 : count - 2; i < count; i++) {
        uintptr_t place = addresses[i] - 1;
        FrameRule kept, rule;
        bool is_code;
        if (!rules_cache_find(place, &kept)) continue;
        rule = rule_from_tables(place, &is_code);
        if (memcmp(&kept, &rule, sizeof rule) == 0) continue;
        if (!is_code) rules_cache_keep(place, rule);
        some = true;
    }
    return some;
}

static uint32_t walk_once(Walk* walk, uintptr_t* out, uint32_t most) {
    uint32_t count = 0;
    bool goes_on = most > 0;
    while (goes_on) {
        out[count++] = walk->now.pc;
        if (!walk->now.exact && walk->reader.high != 0 && walk->now.sp != 0)
            count = plain_steps(walk, out, count, most);
        goes_on = count < most && step(walk);
    }
    return count;
}

static uint32_t walk_from(Registers start, uintptr_t* out, uint32_t most) {
    enum { TRIES = 3 };
    uint32_t count = 0;
    for (int tries = 0; tries < TRIES; tries++) {
        Walk walk = {.now = start, .reader = safe_reader(start.sp)};
        count = walk_once(&walk, out, most);
        if (count == most || walk.is_whole || !renew_last_rules(out, count)) break;
    }
    return count;
}

#if defined(__aarch64__)
// From the registers here, frame by frame: only unwind tables tell where the caller's stack begins.
static HAK_NOINLINE Registers caller_at(const void* frame, uintptr_t pc) {
    enum { FRAMES = 8 };  // of this library, between here and there
    Registers here = registers_here();
    Walk walk = {.now = here, .reader = safe_reader(here.sp)};
    for (int i = 0; i < FRAMES && step(&walk); i++)
        if (walk.now.pc == pc) return walk.now;
    return registers_of_caller(frame, pc);
}
#else
static Registers caller_at(const void* frame, uintptr_t pc) {
    return registers_of_caller(frame, pc);
}
#endif

uint32_t stack_here(const void* frame, uintptr_t pc, uintptr_t* out, uint32_t most) {
    return walk_from(caller_at(frame, plain_address(pc)), out, most);
}

uint32_t stack_of_context(const void* context, uintptr_t* out, uint32_t most) {
    return walk_from(registers_of_context(context), out, most);
}
