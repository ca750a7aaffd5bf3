#include "report/verdict_checks.h"

#include "guard/guard_faults.h"
#include "report/hidden_text.h"
#include "thread/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Checks that failed

bool by_ownership_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL || strcmp(facts->check->check, "ownership") != 0) return false;
    note(verdict, "the process reported: %s", facts->check->line);
    uint32_t change = change_of_site(facts->check->site);
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, "; the ownership check stopped it before it did harm");
    } else if (change != 0) {
        snprintf(
            verdict->cause, sizeof verdict->cause,
            "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, and a thread was about "
            "to drain a slab that another thread owns",
            change, facts->check->site);
        verdict->culprit = "missing change";
    } else {
        judge(verdict, "allocator", "high",
              "the allocator was about to drain a slab of another thread: its own invariant broke; please report it");
    }
    verdict->confidence = "high";
    return true;
}

static const struct {
    const char *check, *of_program;
} program_faults[] = {
    {"double_free", "your code freed a block twice"},
    {"invalid_free", "your code freed a pointer that is not, or is no longer, a live block of this allocator"},
    {"interior_free", "your code freed a pointer into the middle of a block"},
    {"mismatched_free", "your code freed a block with a function that does not match the one that allocated it"},
    {"wrong_size", "your code freed a block with a size that is not the block's"},
    {"overflow", "your code wrote past the end of a block"},
    {"underflow", "your code wrote before the start of a block"},
    {"write_after_free", "your code wrote into a block after it was freed"},
    {"use_after_free", "your code used a block after it was freed"},
    {"link", "your code wrote into a freed block, or past the end of the block before it, or freed it twice"},
};

const char* verdict_cause_of_check(const char* check) {
    for (size_t i = 0; i < sizeof program_faults / sizeof program_faults[0]; i++)
        if (strcmp(check, program_faults[i].check) == 0) return program_faults[i].of_program;
    return NULL;
}

// The message of the check without its name and site, which the report shows separately.
static const char* details_of(const struct check_message* check) {
    const char* site = strstr(check->line, " site=");
    const char* text = site != NULL ? strchr(site + 1, ' ') : NULL;
    return text != NULL ? text + 1 : check->line;
}

// "in free" and the like, or "at a read" for what a sampled block saw.
static const char* site_text(const char* site, char* out, size_t size) {
    static const char* const accesses[] = {"read", "write", "execute", "access"};
    bool access = false;
    for (size_t i = 0; i < sizeof accesses / sizeof accesses[0]; i++) access = access || strcmp(site, accesses[i]) == 0;
    if (!access)
        snprintf(out, size, " in %s", site);
    else if (strcmp(site, "execute") == 0)
        snprintf(out, size, ", at a jump into it");
    else
        snprintf(out, size, ", at a%s %s", site[0] == 'a' ? "n" : "", site);
    return out;
}

// Some damage is found long after it was done.
static void note_check(struct verdict* verdict, const struct check_message* check) {
    static const struct {
        const char *site, *found;
    } late[] = {
        {"hak_check", "found by hak_check, which runs from time to time and when the program ends"},
        {"guard", "found by hak_check, which runs from time to time"},
        {"exit", "found when the program ended"},
        {"quarantine", "found when the freed block left the quarantine"},
    };
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        if (strcmp(check->site, late[i].site) != 0) continue;
        note(verdict, "check %s, %s: %s", check->check, late[i].found, details_of(check));
        return;
    }
    char site[sizeof check->site + 16];
    note(verdict, "check %s%s: %s", check->check, site_text(check->site, site, sizeof site), details_of(check));
}

// The message says if damage between two blocks can have come from either side.
static bool judge_program_check(struct verdict* verdict, const struct check_message* check, const char* cause) {
    char both[sizeof verdict->cause];
    bool either = strstr(check->line, GUARD_OR_UNDERFLOW) != NULL;
    snprintf(both, sizeof both, "%s%s", cause, either ? ", or before the start of the next one" : "");
    return judge(verdict, "program", either ? "medium" : "high", both);
}

// The pointer that was freed, if it is the link of a free block: it was read from a block after its free.
static bool by_freed_link(struct verdict* verdict, const struct verdict_facts* facts) {
    static const char mark[] = " 0x";
    const char* at = strstr(facts->check->line, mark);
    if (strcmp(facts->check->check, "invalid_free") != 0 || at == NULL) return false;
    uint64_t pointer = strtoull(at + 1, NULL, 16), next = pointer + facts->link_key;
    bool ends = next == link_end_with(facts->link_key), leads = next >= facts->heap_start && next < facts->heap_end;
    bool filled = hidden_poison(pointer, HIDDEN_POISON);
    if (!filled && (facts->link_key == 0 || !(ends || (leads && next % 16 == 0)))) return false;
    note_check(verdict, facts->check);
    if (filled)
        note(verdict, "0x%" PRIx64 " is the fill pattern of freed memory", pointer);
    else
        note(verdict, "0x%" PRIx64 " is no pointer, but the encoded link of a free block: %s", pointer,
             ends ? "the end of a list" : "it leads to the next free block");
    note(verdict, "so the pointer was read from a block that had been freed, as by a destructor that runs twice");
    return judge(verdict, "program", "high", "your code freed what it had read from a block after it was freed");
}

bool by_program_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL) return false;
    for (size_t i = 0; i < sizeof program_faults / sizeof program_faults[0]; i++) {
        if (strcmp(facts->check->check, program_faults[i].check) != 0) continue;
        note_check(verdict, facts->check);
        if (has_foreign_drain(facts)) {
            note_drain(verdict, facts->story);
            cause_missing_change(verdict, facts->story, ", and its lists are damaged");
            verdict->confidence = facts->workload != NULL ? "high" : "medium";
            return true;
        }
        if (facts->workload == NULL && by_freed_link(verdict, facts)) return true;
        if (facts->workload == NULL) return judge_program_check(verdict, facts->check, program_faults[i].of_program);
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the check %s failed in a workload that does no such thing: the allocator's own invariant broke; "
                 "please report it",
                 facts->check->check);
        verdict->culprit = "allocator";
        verdict->confidence = "medium";
        return true;
    }
    return false;
}

// Blocks of two allocators

static void note_crossing(struct verdict* verdict, const struct crossed_block* crossed) {
    if (crossed->crossing != CROSSED_TO_LIBC)
        note(verdict, "%s got 0x%" PRIx64 ", which lies in %s", crossed->function, crossed->block, crossed->text);
    else if (crossed->block != 0)
        note(verdict, "the C library's own %s was running (see the backtrace) with 0x%" PRIx64 ", a live block: %s",
             crossed->function, crossed->block, crossed->text);
    else
        note(verdict, "the C library's own %s was running (see the backtrace), though this library's is in use",
             crossed->function);
    if (crossed->bytes != 0)
        note(verdict, "before the block is the header of a chunk of %" PRIu64 " bytes of the C library's malloc",
             crossed->bytes);
    note(verdict,
         "what to do: open libraries without RTLD_DEEPBIND (libhakmem-checked.so removes it from dlopen, not "
         "from dlmopen), do not link a second malloc or C library into a library, and let a program that has its "
         "own malloc define free, calloc, realloc and the aligned functions as well");
}

bool by_crossed_block(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crossed_block* crossed = facts->crossed;
    if (crossed == NULL || crossed->crossing == CROSSED_NOT || facts->workload != NULL) return false;
    if (facts->check != NULL) note_check(verdict, facts->check);
    note_crossing(verdict, crossed);
    switch (crossed->crossing) {
    case CROSSED_FROM_LIBC:
        return judge(verdict, "program", "high",
                     "a block of the C library's malloc was given to this allocator"
                     ": a library opened with RTLD_DEEPBIND, a malloc linked into a library, or the program's own "
                     "malloc mixes the two");
    case CROSSED_FROM_OTHER:
        return judge(
            verdict, "program", "medium",
            "a block of another malloc was given to this allocator: each of the two mallocs defines only some of "
            "the functions");
    case CROSSED_TO_LIBC:
    case CROSSED_NOT: break;
    }
    if (crossed->block != 0)
        return judge(verdict, "program", "high",
                     "a block of this allocator was given to the C library's free or realloc"
                     ": a library opened with RTLD_DEEPBIND, a malloc linked into a library, or the program's own "
                     "malloc mixes the two");
    return judge(verdict, "program", "medium",
                 "the C library's own free or realloc failed: it got a block of another allocator, or its own heap is "
                 "damaged; while this allocator is in use, nothing should call the C library's malloc functions");
}

// Other checks

bool by_other_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL) return false;
    note_check(verdict, facts->check);
    bool payload = strcmp(facts->check->check, "payload") == 0;
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story,
                             payload ? ", and a live block was handed out twice or overwritten" : "");
        verdict->confidence = payload ? "high" : "medium";
        return true;
    }
    if (strcmp(facts->check->check, "memory") == 0)
        return judge(verdict, "outside", "high", "the system gave the allocator no memory");
    if (payload)
        return judge(verdict, "allocator", "high",
                     "a live block was overwritten: it was handed out twice, or the allocator wrote into it");
    if (facts->workload == NULL && strcmp(facts->check->check, "heap") == 0)
        return judge(verdict, "unknown", "medium",
                     "the allocator's lists or counts are wrong: your code wrote into memory that it does not own, or "
                     "the allocator is at fault");
    return judge(verdict, "allocator", "high", "the allocator's own invariant broke: please report it");
}
