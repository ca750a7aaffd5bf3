#include "stack/stack_memo.h"

#include "base/random.h"
#include "stack/rules_cache.h"
#include "stack/safe_read.h"
#include "stack/unwind.h"

enum { WORD = 8, ENTRIES_LOG2 = 8, WORDS = 2 * STACK_DEPTH_MAX };

typedef struct {
    uint32_t at;  // from sp
    uintptr_t value;
} Read;

typedef struct {
    _Atomic uint32_t busy;
    uint32_t count;  // words; 0: pc and sp came once
    uintptr_t pc, sp, fp;
    bool needs_fp;
    StackNumber number;
    Read word[WORDS];
} Entry;

static Entry entries[1 << ENTRIES_LOG2];

// NULL: it is in use.
static Entry* take_entry(Registers start) {
    Entry* entry = &entries[(start.pc ^ start.sp) * RANDOM_STEP >> (64 - ENTRIES_LOG2)];
    uint32_t no = 0;
    return cas_acquire(&entry->busy, &no, 1u) ? entry : NULL;  // pairs with the release in give_entry
}

static void give_entry(Entry* entry) {
    store_release(&entry->busy, 0u);  // pairs with the acquire in take_entry
}

static bool is_of(const Entry* entry, Registers start) {
    return entry->pc == start.pc && entry->sp == start.sp;
}

// The last word is the uppermost one of the stack that was read.
HAK_READS_ANYTHING static bool is_unchanged(const Entry* entry, uintptr_t sp) {
    SafeReader reader = safe_reader(sp);
    if (reader.high - sp < entry->word[entry->count - 1].at + WORD || reader.high == 0) return false;
    for (uint32_t i = 0; i < entry->count; i++)
        if (*(const uintptr_t*)(sp + entry->word[i].at) != entry->word[i].value) return false;
    return true;
}

StackNumber stack_memo_find(Registers start) {
    Entry* entry = start.sp ? take_entry(start) : NULL;
    if (entry == NULL) return 0;
    bool known = entry->count && is_of(entry, start) && (!entry->needs_fp || entry->fp == start.fp) &&
                 is_unchanged(entry, start.sp);
    StackNumber number = known ? entry->number : 0;
    give_entry(entry);
    return number;
}

static bool note_word(Entry* entry, SafeReader* reader, uintptr_t at, uintptr_t* value) {
    bool here = at >= reader->low && at < reader->high && at > entry->sp - WORD;
    if (!here || entry->count == WORDS || !safe_read(reader, at, value)) return false;
    entry->word[entry->count++] = (Read){(uint32_t)(at - entry->sp), *value};
    return true;
}

// Walks once more. The frame pointer counts only where a frame is found by it: elsewhere it may be any value.
static bool learn_walk(Entry* entry, const uintptr_t* addresses, uint32_t count, bool full) {
    SafeReader reader = safe_reader(entry->sp);
    uintptr_t sp = entry->sp, fp = entry->fp, fp_at = 0, value;
    FrameRule rule;
    entry->needs_fp = false;
    for (uint32_t i = 1; i < count; i++) {
        if (!rules_cache_find(addresses[i - 1] - 1, &rule) || !rule_is_plain(rule)) return false;
        if (rule.cfa_from_fp && fp_at == 0) entry->needs_fp = true;
        if (rule.cfa_from_fp && fp_at != 0 && !note_word(entry, &reader, fp_at, &fp)) return false;
        uintptr_t cfa = (rule.cfa_from_fp ? fp : sp) + (uintptr_t)rule_cfa_offset(rule);
        if (rule.fp_place == PLACE_CFA) {
            fp_at = cfa + (uintptr_t)(rule.fp_offset * WORD);
            if (!safe_read(&reader, fp_at, &fp)) return false;
        }
        if (!note_word(entry, &reader, cfa - WORD, &value) || plain_address(value) != addresses[i]) return false;
        sp = cfa;
    }
    return full || (rules_cache_find(addresses[count - 1] - 1, &rule) && rule.kind == RULE_LAST);
}

void stack_memo_learn(Registers start, const uintptr_t* addresses, uint32_t count, bool full, StackNumber number) {
    Entry* entry = start.sp && count > 1 && number ? take_entry(start) : NULL;
    if (entry == NULL) return;
    bool again = is_of(entry, start);
    entry->count = 0;
    entry->pc = start.pc, entry->sp = start.sp, entry->fp = start.fp, entry->number = number;
    if (again && !learn_walk(entry, addresses, count, full)) entry->count = 0;
    give_entry(entry);
}
