#include "report/verdict.h"

#include "report/hidden_text.h"
#include "report/signals.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

enum { FIRST_MAPPABLE = 0x10000, STACK_REACH = 64 << 10 };

struct verdict {
    const char* cause;
    const char* confidence;
    json_t* evidence;
};

static void note(struct verdict* verdict, json_t* text) {
    json_array_append_new(verdict->evidence, text);
}

static bool judge(struct verdict* verdict, const char* cause, const char* confidence) {
    verdict->cause = cause;
    verdict->confidence = confidence;
    return true;
}

// Each rule looks at one kind of sign; the first that recognises it decides.

static bool by_check(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->check == NULL) return false;
    note(verdict, json_sprintf("the process said: %s", facts->check->line));
    if (strcmp(facts->check->check, "ownership") == 0)
        return judge(verdict, "a thread drained a slab that another thread owns", "high");
    if (strcmp(facts->check->check, "payload") == 0)
        return judge(verdict, "a live block was overwritten: it was handed out twice, or the allocator wrote into it",
                     "high");
    if (strcmp(facts->check->check, "memory") == 0) return judge(verdict, "the allocator gave no memory", "high");
    return judge(verdict, "a check of the allocator found its own structures damaged", "high");
}

static bool by_sender(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL || record->code > 0 || record->signal == SIGABRT) return false;
    note(verdict, json_sprintf("%s was sent by process %d, no access of this program caused it",
                               signal_name(record->signal), record->sender));
    return judge(verdict, "a signal from outside", "high");
}

static bool by_payload_address(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    char text[9];
    if (record == NULL || record->code <= 0 || !hidden_text_whole(record->fault_address, text)) return false;
    bool payload = hidden_text_payload(record->fault_address);
    note(verdict, json_sprintf("the fault address 0x%" PRIx64 " is the text \"%s\"", record->fault_address, text));
    if (payload)
        note(verdict,
             json_string("'a' and 'b' are what the workload writes to the start of each block, where the link of a "
                         "free block lies"));
    return judge(verdict, "user data was followed as a free-list link: the block was in use and on a free list at once",
                 payload ? "high" : "medium");
}

static bool by_payload_register(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL || record->code != SI_KERNEL) return false;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        uint64_t value = record->registers[i];
        if (register_name(i) == NULL || is_canonical(value)) continue;
        char text[9];
        note(verdict, json_sprintf("%s holds 0x%" PRIx64
                                   ", which is no address (non-canonical); the kernel reports address 0 for it",
                                   register_name(i), value));
        if (hidden_text_whole(value, text) || hidden_text_payload(value))
            return judge(verdict, "user data was followed as a pointer: a free-list link was overwritten", "medium");
    }
    return judge(verdict, "a damaged pointer was followed", "medium");
}

#if defined(__x86_64__)
static bool by_stack(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL || record->signal != SIGSEGV || record->code <= 0) return false;
    uint64_t stack_pointer = record->registers[REG_RSP];
    uint64_t low = stack_pointer - STACK_REACH;
    if (record->fault_address < low || record->fault_address > stack_pointer + 4096) return false;
    const struct mapping* mapping = procmaps_find(facts->maps, record->fault_address);
    if (mapping != NULL && mapping->permissions[0] == 'r') return false;
    note(verdict,
         json_sprintf("the fault address lies at the stack pointer 0x%" PRIx64 ", in memory that is not for use",
                      stack_pointer));
    return judge(verdict, "the stack overflowed", "high");
}
#else
static bool by_stack(struct verdict* verdict, const struct verdict_facts* facts) {
    (void)verdict, (void)facts;
    return false;
}
#endif

static bool by_null(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL || record->code <= 0 || record->fault_address >= FIRST_MAPPABLE || record->signal != SIGSEGV)
        return false;
    note(verdict, json_sprintf("the fault address 0x%" PRIx64 " is near 0", record->fault_address));
    return judge(verdict, "a null pointer was followed", "medium");
}

static bool by_other_signal(struct verdict* verdict, const struct verdict_facts* facts) {
    const struct crash_record* record = facts->record;
    if (record == NULL) return false;
    if (record->signal == SIGABRT) {
        note(verdict, json_string("the process called abort() and named no check"));
        return judge(verdict, "an assertion outside the allocator, or of the C library", "low");
    }
    note(verdict, json_sprintf("%s at 0x%" PRIx64, signal_name(record->signal), record->fault_address));
    return judge(verdict, "an access to memory that is not mapped, or not for this kind of access", "low");
}

static bool by_death(struct verdict* verdict, const struct verdict_facts* facts) {
    if (facts->died_of == 0) return false;
    note(verdict,
         json_sprintf("the process died of %s before its handler could copy anything", signal_name(facts->died_of)));
    if (facts->died_of == SIGKILL)
        return judge(verdict, "killed from outside: by hand, or by the kernel when memory ran out (see dmesg)",
                     "medium");
    return judge(verdict, "the crash was so deep that the handler could not run", "low");
}

static bool by_hang(struct verdict* verdict, const struct verdict_facts* facts) {
    if (!facts->hang) return false;
    if (facts->stopped) {
        note(verdict, json_string("the kernel had the process in state T when its silence was noticed"));
        return judge(verdict, "the process was stopped by a signal from outside", "high");
    }
    note(verdict, json_string("no thread's counter moved; the backtraces show where each of them was"));
    return judge(verdict, "the threads wait for each other, or one turns in a circle", "low");
}

json_t* verdict_make(const struct verdict_facts* facts) {
    static bool (*const rules[])(struct verdict*, const struct verdict_facts*) = {
        by_check, by_hang, by_sender,       by_payload_address, by_payload_register,
        by_stack, by_null, by_other_signal, by_death,
    };
    struct verdict verdict = {.cause = "unknown", .confidence = "low", .evidence = json_array()};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i](&verdict, facts)) break;
    }
    json_t* result = json_object();
    json_object_set_new(result, "cause", json_string(verdict.cause));
    json_object_set_new(result, "evidence", verdict.evidence);
    json_object_set_new(result, "confidence", json_string(verdict.confidence));
    return result;
}
