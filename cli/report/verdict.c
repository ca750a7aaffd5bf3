#include "report/verdict.h"

#include "base/json.h"
#include "guard/guard_faults.h"
#include "report/abort_caller.h"
#include "report/hidden_text.h"
#include "report/signals.h"
#include "thread/link.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { FIRST_MAPPABLE = 0x10000, STACK_REACH = 64 << 10 };

#if defined(__x86_64__)
enum { STACK_POINTER = REG_RSP, INSTRUCTION_POINTER = REG_RIP };
#else
enum { STACK_POINTER, INSTRUCTION_POINTER };
#endif

struct verdict {
    char cause[512];
    const char *confidence, *culprit;
    json_t* evidence;
};

__attribute__((format(printf, 2, 3))) static void note(struct verdict* verdict, const char* format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(verdict->evidence, json_text(text));
}

static bool judge(struct verdict* verdict, const char* culprit, const char* confidence, const char* cause) {
    snprintf(verdict->cause, sizeof verdict->cause, "%s", cause);
    verdict->confidence = confidence;
    verdict->culprit = culprit;
    return true;
}

// A fault of memory access that the processor reported, not a signal that somebody sent. SIGBUS comes for pointers that are no
// addresses, where they are used through the stack's registers.
static const struct crash_record* access_fault(const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    bool access = record != NULL && (record->signal == SIGSEGV || record->signal == SIGBUS) && record->code > 0;
    return access ? record : NULL;
}

// Missing changes

static bool has_foreign_drain(const struct verdict_facts* facts) {
    return facts->story != NULL && facts->story->tie != TIE_NONE;
}

static void note_drain(struct verdict* verdict, const struct story* story) {
    char drainer[64], owner[64];
    who_text(&story->drainer, drainer, sizeof drainer);
    who_text(&story->owner, owner, sizeof owner);
    if (story->tie == TIE_CHECK)
        note(verdict, "%s was about to drain slab %u (%u blocks waiting), which %s owned", drainer, story->slab,
             story->blocks, story->owner.thread != 0 ? owner : "nobody");
    else
        note(verdict, "%s drained slab %u (%u blocks) while %s owned it", drainer, story->slab, story->blocks, owner);
    if (story->other_drains > 0)
        note(verdict,
             "it was not the only one: %u more such drain(s) of that slab, by other threads, are in the rings; this "
             "is the last that began before the block was handed out",
             story->other_drains);
    if (change_words(story->change) != NULL)
        note(verdict, "that is what change %u, \"%s\", prevents; it was switched off", story->change,
             change_words(story->change));
}

// Nothing ties the drain that is told to the crash.
static bool is_drain_uncertain(const struct story* story) {
    return story->tie == TIE_LAST_SEEN || story->tie == TIE_LATEST;
}

static void cause_missing_change(struct verdict* verdict, const struct story* story, const char* effect) {
    char drainer[64];
    who_text(&(struct who){.thread = story->drainer.thread}, drainer, sizeof drainer);
    if (story->site != NULL && is_drain_uncertain(story))
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, and slabs of other "
                 "threads were drained; perhaps not the one that did the harm, but the last that is known: %s drained "
                 "slab %u of thread %u%s",
                 story->change, story->site, drainer, story->slab, story->owner.thread, effect);
    else if (story->site != NULL)
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, so %s %s slab %u of "
                 "thread %u%s",
                 story->change, story->site, drainer, story->tie == TIE_CHECK ? "was about to drain" : "drained",
                 story->slab, story->owner.thread, effect);
    else
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator broke its own ownership rule: %s %s slab %u of thread %u%s; please report it", drainer,
                 story->tie == TIE_CHECK ? "was about to drain" : "drained", story->slab, story->owner.thread, effect);
    verdict->culprit = story->site != NULL ? "missing change" : "allocator";
}

// Checks that spoke

static bool by_ownership_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL || strcmp(facts->check->check, "ownership") != 0) return false;
    note(verdict, "the process said: %s", facts->check->line);
    uint32_t change = change_of_site(facts->check->site);
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, "; the ownership check stopped it before any harm was done");
    } else if (change != 0) {
        snprintf(
            verdict->cause, sizeof verdict->cause,
            "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, and a thread was about "
            "to drain a slab that another one owns",
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
    {"invalid_free", "your code freed a pointer that is no block of this allocator, or is one no more: freed twice"},
    {"interior_free", "your code freed a pointer into the middle of a block"},
    {"mismatched_free", "your code freed a block with the wrong function for the one that allocated it"},
    {"wrong_size", "your code freed a block with a size that is not the block's"},
    {"overflow", "your code wrote past the end of a block"},
    {"underflow", "your code wrote before the start of a block"},
    {"write_after_free", "your code wrote into a block after it was freed"},
    {"use_after_free", "your code used a block after it was freed"},
    {"link", "your code wrote into a freed block, or past the end of the block before it, or freed it twice"},
};

// What the check says, without its name and site, which the report shows apart.
static const char* details_of(const struct check_message* check) {
    const char* site = strstr(check->line, " site=");
    const char* text = site != NULL ? strchr(site + 1, ' ') : NULL;
    return text != NULL ? text + 1 : check->line;
}

// Some damage is found long after it was done.
static void note_check(struct verdict* verdict, const struct check_message* check) {
    static const struct {
        const char *site, *found;
    } late[] = {
        {"hak_check", "found by hak_check, which runs now and then and when the program ends"},
        {"guard", "found by hak_check, which runs now and then"},
        {"exit", "found when the program ended"},
        {"quarantine", "found when the freed block left the quarantine"},
    };
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        if (strcmp(check->site, late[i].site) != 0) continue;
        note(verdict, "check %s, %s: %s", check->check, late[i].found, details_of(check));
        return;
    }
    note(verdict, "check %s in %s: %s", check->check, check->site, details_of(check));
}

// The message says so where damage between two blocks can have come from either side.
static bool judge_program_check(struct verdict* verdict, const struct check_message* check, const char* cause) {
    char both[sizeof verdict->cause];
    bool either = strstr(check->line, GUARD_OR_UNDERFLOW) != NULL;
    snprintf(both, sizeof both, "%s%s", cause, either ? ", or before the start of the next one" : "");
    return judge(verdict, "program", either ? "medium" : "high", both);
}

static bool by_program_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL) return false;
    for (size_t i = 0; i < sizeof program_faults / sizeof program_faults[0]; i++) {
        if (strcmp(facts->check->check, program_faults[i].check) != 0) continue;
        note_check(verdict, facts->check);
        if (has_foreign_drain(facts)) {
            note_drain(verdict, facts->story);
            cause_missing_change(verdict, facts->story, ", and its lists are no longer right");
            verdict->confidence = facts->workload != NULL ? "high" : "medium";
            return true;
        }
        if (facts->workload == NULL) return judge_program_check(verdict, facts->check, program_faults[i].of_program);
        snprintf(
            verdict->cause, sizeof verdict->cause,
            "the check %s failed in a workload that does nothing of the kind: the allocator's own invariant broke; "
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
        note(verdict, "the C library's own %s was at work, see the backtrace, with 0x%" PRIx64 ", a live block: %s",
             crossed->function, crossed->block, crossed->text);
    else
        note(verdict, "the C library's own %s was at work, see the backtrace, though this library's is in force",
             crossed->function);
    if (crossed->bytes != 0)
        note(verdict, "before it stands the header of a chunk of %" PRIu64 " bytes of the C library's malloc",
             crossed->bytes);
    note(verdict,
         "what to do: open libraries without RTLD_DEEPBIND (libhakmem-checked.so takes it away from dlopen, not "
         "from dlmopen), link no second malloc and no C library into a library, and let a program that has its "
         "own malloc define free, calloc, realloc and the aligned functions as well");
}

static bool by_crossed_block(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crossed_block* crossed = facts->crossed;
    if (crossed == NULL || crossed->crossing == CROSSED_NOT || facts->workload != NULL) return false;
    if (facts->check != NULL) note_check(verdict, facts->check);
    note_crossing(verdict, crossed);
    switch (crossed->crossing) {
    case CROSSED_FROM_LIBC:
        return judge(verdict, "program", "high",
                     "a block of the C library's malloc was given to this allocator"
                     ": a library opened with RTLD_DEEPBIND, a malloc linked into a library, or a program's own malloc "
                     "has the two "
                     "meet");
    case CROSSED_FROM_OTHER:
        return judge(verdict, "program", "medium",
                     "a block of another malloc was given to this allocator: the one that is in force defines some of "
                     "the functions, and this allocator the others");
    case CROSSED_TO_LIBC:
    case CROSSED_NOT: break;
    }
    if (crossed->block != 0)
        return judge(verdict, "program", "high",
                     "a block of this allocator was given to the C library's free or realloc"
                     ": a library opened with RTLD_DEEPBIND, a malloc linked into a library, or a program's own malloc "
                     "has the two "
                     "meet");
    return judge(verdict, "program", "medium",
                 "the C library's own free or realloc failed: it got a block of another allocator, or its own heap is "
                 "damaged; with this allocator in force it should not be called at all");
}

static bool by_other_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL) return false;
    note_check(verdict, facts->check);
    bool payload = strcmp(facts->check->check, "payload") == 0;
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story,
                             payload ? ", and a live block was handed out twice or written into" : "");
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
                     "the allocator's lists or counts are wrong: your code wrote into memory that it does not have, or "
                     "the allocator is at fault");
    return judge(verdict, "allocator", "high", "the allocator's own invariant broke: please report it");
}

static bool by_hang(struct verdict* verdict, const struct verdict_facts* facts) {
    if (!facts->hang) return false;
    if (facts->stopped) {
        note(verdict, "the kernel had the process in state T when its silence was noticed");
        return judge(verdict, "outside", "high", "the process was stopped by a signal from outside");
    }
    note(verdict, "no thread's counter moved; the backtraces show where each of them was");
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, ", and a list that two threads changed runs in a circle");
        verdict->confidence = "medium";
        return true;
    }
    return judge(verdict, "unknown", "low", "the threads wait for each other, or one turns in a circle");
}

static bool by_sender(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL || record->code > 0 || record->signal == SIGABRT) return false;
    if (record->sender == facts->process && facts->process != 0) {
        note(verdict, "%s was sent by process %d, which is the one that died", signal_name(record->signal),
             record->sender);
        return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium",
                     "the process sent the signal to itself");
    }
    note(verdict, "%s was sent by process %d, no access of this program caused it", signal_name(record->signal),
         record->sender);
    return judge(verdict, "outside", "high", "a signal from outside");
}

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

static bool by_followed_link(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct story* story = facts->story;
    if (story == NULL || !story->has_link) return false;
    if (has_foreign_drain(facts)) note_drain(verdict, story);
    note_link(verdict, facts);
    if (has_foreign_drain(facts)) {
        cause_missing_change(
            verdict, story,
            "; a block was in use and on a free list at once, and user data was followed as a free-list "
            "link");
        verdict->confidence = story->tie == TIE_LINK ? "high" : "medium";
        return true;
    }
    if (facts->workload != NULL)
        return judge(verdict, "allocator", "high",
                     "user data was followed as a free-list link: the block was in use and on a free list at once");
    return judge(verdict, "program", story->block_was_free ? "high" : "medium",
                 "your code wrote into a block after it was freed, or past the end of the block before it: the link in "
                 "the free block was overwritten");
}

// Without an event that shows the link.
static bool by_text_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    char text[9];
    if (record == NULL || !hidden_text_whole(record->fault_address, text)) return false;
    bool payload = facts->workload != NULL && hidden_text_payload(record->fault_address);
    note(verdict, "the fault address 0x%" PRIx64 " is the text \"%s\"", record->fault_address, text);
    if (payload)
        note(verdict, "'a' and 'b' are what the workload writes to the start of each block, where the link of a free "
                      "block lies");
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, "; user data was followed as a free-list link");
        verdict->confidence = payload ? "high" : "medium";
        return true;
    }
    if (payload)
        return judge(verdict, "allocator", "high",
                     "user data was followed as a free-list link: the block was in use and on a free list at once");
    return judge(
        verdict, "program", "medium",
        "text was followed as a pointer: your code wrote it over the pointer, or used memory after it was freed");
}

// The encoded address of another free block, or of none, as it stands at the start of one that is on a free list.
static bool is_encoded_link(const struct verdict_facts* facts, uint64_t value) {
    uint64_t next = value + facts->link_key;
    return facts->link_key != 0 && (next == LINK_END || (next >= facts->heap_start && next < facts->heap_end));
}

static const char* kind_of_bad_pointer(const struct verdict_facts* facts, uint64_t value) {
    const char* workload = facts->workload;
    char text[9];
    if (hidden_poison(value, HIDDEN_POISON) || is_encoded_link(facts, value))
        return "the pointer was read out of freed memory: your code used a block after it was freed";
    if (hidden_text_whole(value, text) || (workload != NULL && hidden_text_payload(value)))
        return "text was followed as a pointer: it had been written over it";
    if (value >> 47 > 0x1ffff / 2 && is_canonical(value)) return "a pointer into the kernel's half was followed";
    return "a damaged pointer was followed";
}

// The processor names no address for these: it is found in the registers.
static bool by_impossible_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || record->code != SI_KERNEL) return false;
    uint64_t pointer = 0;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        uint64_t value = record->registers[i];
        if (register_name(i) == NULL || is_canonical(value)) continue;
        char text[9];
        bool is_text = hidden_text_whole(value, text),
             telling = is_text || hidden_poison(value, HIDDEN_POISON) || is_encoded_link(facts, value);
        note(verdict,
             "%s holds 0x%" PRIx64 ", which is no address (non-canonical); the kernel reports address 0 for it%s%s%s",
             register_name(i), value, is_text ? "; it is the text \"" : "", is_text ? text : "", is_text ? "\"" : "");
        if (pointer == 0 || telling) pointer = value;
        if (hidden_poison(value, HIDDEN_POISON))
            note(verdict, "0x%02x is what freed memory is filled with in guard mode", (unsigned)HIDDEN_POISON);
        if (is_encoded_link(facts, value))
            note(verdict, "0x%" PRIx64 " is the encoded link that stands at the start of a free block", value);
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

static bool by_poison_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || !hidden_poison(record->fault_address, HIDDEN_POISON)) return false;
    note(verdict, "the fault address 0x%" PRIx64 " is made of 0x%02x, which freed memory is filled with in guard mode",
         record->fault_address, (unsigned)HIDDEN_POISON);
    return judge(verdict, "program", "high", kind_of_bad_pointer(facts, record->fault_address));
}

static bool by_kernel_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || record->fault_address >> 63 == 0) return false;
    note(verdict, "the fault address 0x%" PRIx64 " lies in the kernel's half, where no program has memory",
         record->fault_address);
    return judge(verdict, "unknown", "medium",
                 "a negative number was used as a pointer, or a 32-bit one was extended with its sign");
}

// Places

static bool by_stack(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || record->signal != SIGSEGV || STACK_POINTER == INSTRUCTION_POINTER) return false;
    uint64_t stack_pointer = record->registers[STACK_POINTER];
    uint64_t low = stack_pointer - STACK_REACH;
    if (record->fault_address < low || record->fault_address > stack_pointer + 4096) return false;
    const struct mapping* mapping = procmaps_find(facts->maps, record->fault_address);
    if (mapping != NULL && mapping->permissions[0] == 'r') return false;
    note(verdict, "the fault address lies at the stack pointer 0x%" PRIx64 ", in memory that is not for use",
         stack_pointer);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "high",
                 "the stack overflowed: a recursion without end, or very large local variables");
}

// Freed memory may lie before a block as well: then only the nearest bytes are taken for the block's.
static bool by_underflow(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || facts->behind == 0 || facts->workload != NULL || has_foreign_drain(facts)) return false;
    if (facts->place != NULL && facts->place->in_window && !facts->behind_is_near) return false;
    const char* access = fault_access(record);
    bool read = access != NULL && strcmp(access, "read") == 0, write = access != NULL && strcmp(access, "write") == 0;
    note(verdict, "the fault address lies %" PRIu64 " bytes before block 0x%" PRIx64 ", where no block is",
         facts->behind - record->fault_address, facts->behind);
    return judge(verdict, "program", facts->behind_is_near ? "high" : "medium",
                 write  ? "your code wrote before the start of a block"
                 : read ? "your code read before the start of a block"
                        : "your code read or wrote before the start of a block");
}

static bool by_freed_memory(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    const struct heap_place* place = facts->place;
    if (record == NULL || place == NULL || !place->in_window || place->accessible) return false;
    json_t* json = heap_place_json(place);
    note(verdict, "the fault address lies in the heap: %s", json_get_text(json, "text"));
    json_decref(json);
    const char* access = fault_access(record);
    bool read = access != NULL && strcmp(access, "read") == 0, write = access != NULL && strcmp(access, "write") == 0;
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, ", and memory was used that had been given back");
        verdict->confidence = "medium";
        return true;
    }
    if (facts->workload != NULL)
        return judge(verdict, "allocator", "medium",
                     "memory was used that the allocator had given back to the system: please report it");
    return judge(verdict, "program", "high",
                 write  ? "your code wrote memory that had been freed and given back"
                 : read ? "your code read memory that had been freed and given back"
                        : "your code used memory that had been freed and given back");
}

static bool by_execution(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || STACK_POINTER == INSTRUCTION_POINTER) return false;
    uint64_t pc = record->registers[INSTRUCTION_POINTER];
    const char* access = fault_access(record);
    bool execute = access != NULL && strcmp(access, "execute") == 0;
    const struct mapping* mapping = procmaps_find(facts->maps, pc);
    bool code = mapping != NULL && mapping->permissions[2] == 'x';
    if (!execute && (code || facts->maps->count == 0)) return false;
    note(verdict, "the instruction pointer is 0x%" PRIx64 ", where no code is", pc);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium",
                 "a jump to where no code is: a function pointer or a return address was overwritten, or was NULL");
}

static bool by_null(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = access_fault(facts);
    if (record == NULL || record->fault_address >= FIRST_MAPPABLE || record->signal != SIGSEGV) return false;
    note(verdict, "the fault address 0x%" PRIx64 " is near 0: NULL plus an offset of %" PRIu64 " bytes",
         record->fault_address, record->fault_address);
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, ", and a list that two threads had changed was followed");
        verdict->confidence = "medium";
        return true;
    }
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium",
                 "a null pointer was followed, to a member or an element behind it");
}

// The rest

static bool by_foreign_drain(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->record == NULL || !has_foreign_drain(facts)) return false;
    note_drain(verdict, facts->story);
    if (facts->record->code > 0)
        note(verdict, "%s at 0x%" PRIx64, signal_name(facts->record->signal), facts->record->fault_address);
    cause_missing_change(verdict, facts->story, ", and both changed its free list");
    verdict->confidence = facts->story->tie == TIE_LATEST ? "low" : "medium";
    return true;
}

// What the signals mean that tell of no access to memory.
static const char* cause_of_signal(int signal) {
    switch (signal) {
    case SIGFPE: return "an arithmetic fault, as a division by zero";
    case SIGILL:
        return "an instruction that the processor does not know: a compiler's trap for code that cannot be reached, or "
               "a wrong jump";
    case SIGTRAP: return "a breakpoint that no debugger waited for: a trap in the program's code, or a wrong jump";
    case SIGSYS: return "a system call that the process is not allowed, by seccomp or a sandbox";
    default: return NULL;
    }
}

static bool by_instruction(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    const char* cause = record != NULL && record->code > 0 ? cause_of_signal(record->signal) : NULL;
    if (cause == NULL) return false;
    note(verdict, "%s (%s) at 0x%" PRIx64, signal_name(record->signal), signal_code_name(record->signal, record->code),
         record->fault_address);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "medium", cause);
}

static bool by_caller_of_abort(struct verdict* verdict, const struct verdict_facts* facts) {
    const char* function;
    if (facts->record == NULL || facts->record->signal != SIGABRT) return false;
    const char* cause = abort_caller_cause(facts->backtrace, &function);
    if (cause == NULL) return false;
    note(verdict, "abort() was called below %s, see the backtrace", function);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "high", cause);
}

static bool by_other_signal(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL) return false;
    if (record->signal == SIGABRT && !facts->has_ring) {
        note(verdict, "the process called abort(); whether a check of the library spoke before is not known, as its "
                      "debug ring is missing");
        return judge(verdict, "unknown", "low", "an assertion, or a check of the library: see its messages on stderr");
    }
    if (record->signal == SIGABRT) {
        note(verdict, "the process called abort() and named no check");
        return judge(verdict, "unknown", "low", "the process called abort() itself, or the C library did");
    }
    const char* cause = cause_of_signal(record->signal);
    note(verdict, "%s at 0x%" PRIx64, signal_name(record->signal), record->fault_address);
    return judge(verdict, "unknown", "low",
                 cause != NULL ? cause : "an access to memory that is not mapped, or not for this kind of access");
}

static bool by_death(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->died_of == 0) return false;
    if (facts->handler_died)
        note(verdict, "a thread crashed, and what copies registers and stack then crashed too");
    else
        note(verdict, "the process died of %s before anything could be copied", signal_name(facts->died_of));
    if (has_foreign_drain(facts)) note_drain(verdict, facts->story);
    if (facts->died_of == SIGKILL)
        return judge(verdict, "outside", "medium",
                     "killed from outside: by hand, or by the kernel when memory ran out (see dmesg)");
    return judge(verdict, "unknown", "low", "nothing could be seen of the crash");
}

json_t* verdict_make(const struct verdict_facts* facts) {
    // The first that recognises its sign decides: what the process said itself, then what was recorded, then what addresses tell.
    static const struct {
        const char* name;
        bool (*judge)(struct verdict* verdict, const struct verdict_facts* facts);
    } rules[] = {
        {"ownership_check", by_ownership_check},
        {"crossed_block", by_crossed_block},
        {"program_check", by_program_check},
        {"other_check", by_other_check},
        {"hang", by_hang},
        {"sender", by_sender},
        {"followed_link", by_followed_link},
        {"text_address", by_text_address},
        {"poison_address", by_poison_address},
        {"impossible_address", by_impossible_address},
        {"stack", by_stack},
        {"underflow", by_underflow},
        {"freed_memory", by_freed_memory},
        {"execution", by_execution},
        {"null", by_null},
        {"foreign_drain", by_foreign_drain},
        {"kernel_address", by_kernel_address},
        {"instruction", by_instruction},
        {"caller_of_abort", by_caller_of_abort},
        {"other_signal", by_other_signal},
        {"death", by_death},
    };
    struct verdict verdict = {.cause = "unknown", .confidence = "low", .culprit = "unknown", .evidence = json_array()};
    const char* rule = "none";
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].judge(&verdict, facts)) continue;
        rule = rules[i].name;
        break;
    }
    bool uncertain = has_foreign_drain(facts) && is_drain_uncertain(facts->story);
    if (uncertain && strcmp(verdict.confidence, "high") == 0) verdict.confidence = "medium";
    json_t* result = json_object();
    json_put_text(result, "cause", verdict.cause);
    json_object_set_new(result, "evidence", verdict.evidence);
    json_put_text(result, "confidence", verdict.confidence);
    json_put_text(result, "culprit", verdict.culprit);
    json_put_text(result, "rule", rule);
    return result;
}
