#include "report/verdict_pointers.h"

#include "report/hidden_text.h"
#include "report/signals.h"
#include "thread/link.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

// Links

static void note_link(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct story* story = facts->story;
    char text[9];
    note(verdict,
         "block 0x%" PRIx64 " of slab %u held 0x%" PRIx64 " where a free block has the address of the next one",
         story->block, story->block_slab, story->link);
    if (hidden_text_whole(story->link, text))
        note(verdict, "0x%" PRIx64 " is the text \"%s\"%s", story->link, text,
             facts->workload != NULL && hidden_text_payload(story->link)
                 ? ": 'a' and 'b' are what the workload writes to the start of each block"
                 : "");
    if (story->block_was_given_twice)
        note(verdict, "that block was handed out twice without a free in between");
    else if (story->block_was_live)
        note(verdict, "that block was in use: handed out, and not freed since");
}

bool by_followed_link(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct story* story = facts->story;
    if (story == NULL || !story->has_link) return false;
    if (has_foreign_drain(facts)) note_drain(verdict, story);
    note_link(verdict, facts);
    if (has_foreign_drain(facts)) {
        cause_missing_change(
            verdict, story,
            "; a block was in use and on a free list at the same time, and user data was used as a free-list "
            "link");
        verdict->confidence = story->tie == TIE_LINK ? "high" : "medium";
        return true;
    }
    if (facts->workload != NULL)
        return judge(
            verdict, "allocator", "high",
            "user data was used as a free-list link: the block was in use and on a free list at the same time");
    return judge(verdict, "program", story->block_was_free ? "high" : "medium",
                 "your code wrote into a block after it was freed, or past the end of the block before it: the link in "
                 "the free block was overwritten");
}

// Addresses

// Without an event that shows the link.
bool by_text_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    char text[9];
    if (record == NULL || !hidden_text_whole(record->fault_address, text)) return false;
    bool payload = facts->workload != NULL && hidden_text_payload(record->fault_address);
    note(verdict, "the fault address 0x%" PRIx64 " is the text \"%s\"", record->fault_address, text);
    if (payload)
        note(verdict, "'a' and 'b' are what the workload writes to the start of each block, where a free block has its "
                      "link");
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, "; user data was used as a free-list link");
        verdict->confidence = payload ? "high" : "medium";
        return true;
    }
    if (payload)
        return judge(
            verdict, "allocator", "high",
            "user data was used as a free-list link: the block was in use and on a free list at the same time");
    return judge(
        verdict, "program", "medium",
        "text was used as a pointer: your code overwrote the pointer with it, or used memory after it was freed");
}

// The encoded link at the start of a free block: the address of the next free block, or none.
static bool is_encoded_link(const struct verdict_facts* facts, uint64_t value) {
    uint64_t next = value + facts->link_key;
    return facts->link_key != 0 &&
           (next == link_end_with(facts->link_key) || (next >= facts->heap_start && next < facts->heap_end));
}

static const char* kind_of_bad_pointer(const struct verdict_facts* facts, uint64_t value) {
    const char* workload = facts->workload;
    char text[9];
    if (hidden_poison(value, HIDDEN_POISON) || is_encoded_link(facts, value))
        return "the pointer was read from freed memory: your code used a block after it was freed";
    if (hidden_poison(value, HIDDEN_FILL))
        return "the pointer was read from a new block: your code used it before it wrote it";
    if (hidden_text_whole(value, text) || (workload != NULL && hidden_text_payload(value)))
        return "text was used as a pointer: it had overwritten the pointer";
    if (value >> 47 > 0x1ffff / 2 && is_canonical(value))
        return "a pointer into the kernel's half of the addresses was dereferenced";
    return "a damaged pointer was dereferenced";
}

// The processor reports no address for these, so it is searched for in the registers.
bool by_impossible_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    if (record == NULL || record->code != SI_KERNEL) return false;
    uint64_t pointer = 0;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        uint64_t value = record->registers[i];
        if (register_name(i) == NULL || is_canonical(value)) continue;
        char text[9];
        bool is_text = hidden_text_whole(value, text), telling = is_text || hidden_poison(value, HIDDEN_POISON) ||
                                                                 hidden_poison(value, HIDDEN_FILL) ||
                                                                 is_encoded_link(facts, value);
        note(verdict,
             "%s holds 0x%" PRIx64 ", which is not an address (non-canonical), so the kernel reports address 0%s%s%s",
             register_name(i), value, is_text ? "; it is the text \"" : "", is_text ? text : "", is_text ? "\"" : "");
        if (pointer == 0 || telling) pointer = value;
        if (hidden_poison(value, HIDDEN_POISON))
            note(verdict, "guard mode fills freed memory with 0x%02x", (unsigned)HIDDEN_POISON);
        if (hidden_poison(value, HIDDEN_FILL))
            note(verdict, "HAKMEM_GUARD_FILL fills new blocks with 0x%02x", (unsigned)HIDDEN_FILL);
        if (is_encoded_link(facts, value))
            note(verdict, "0x%" PRIx64 " is the encoded link at the start of a free block", value);
    }
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, "; a link that two threads had changed was followed");
        verdict->confidence = "medium";
        return true;
    }
    return judge(verdict, facts->workload != NULL ? "allocator" : "program", "medium",
                 kind_of_bad_pointer(facts, pointer));
}

bool by_poison_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    bool fill = record != NULL && hidden_poison(record->fault_address, HIDDEN_FILL);
    if (record == NULL || !(fill || hidden_poison(record->fault_address, HIDDEN_POISON))) return false;
    note(verdict, "the fault address 0x%" PRIx64 " consists of 0x%02x, which guard mode fills %s with",
         record->fault_address, fill ? (unsigned)HIDDEN_FILL : (unsigned)HIDDEN_POISON,
         fill ? "new blocks (HAKMEM_GUARD_FILL)" : "freed memory");
    return judge(verdict, "program", "high", kind_of_bad_pointer(facts, record->fault_address));
}

bool by_kernel_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    if (record == NULL || record->fault_address >> 63 == 0) return false;
    note(verdict,
         "the fault address 0x%" PRIx64 " is in the kernel's half of the addresses, where no program has memory",
         record->fault_address);
    return judge(verdict, "unknown", "medium",
                 "a negative number was used as a pointer, or a 32-bit pointer was sign-extended");
}
