#include "report/verdict_places.h"

#include "base/json.h"
#include "report/signals.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

enum { FIRST_MAPPABLE = 0x10000, STACK_REACH = 64 << 10 };

bool by_stack(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    if (record == NULL || record->signal != SIGSEGV) return false;
    uint64_t stack_pointer = record->registers[CRASH_SP];
    uint64_t low = stack_pointer - STACK_REACH;
    if (record->fault_address < low || record->fault_address > stack_pointer + 4096) return false;
    const struct mapping* mapping = procmaps_find(facts->maps, record->fault_address);
    if (mapping != NULL && mapping->permissions[0] == 'r') return false;
    note(verdict, "the fault address is at the stack pointer 0x%" PRIx64 ", in memory that is not accessible",
         stack_pointer);
    return judge(verdict, facts->workload != NULL ? "unknown" : "program", "high",
                 "stack overflow: endless recursion, or very large local variables");
}

// Freed memory may lie before a block as well. So only the nearest bytes are taken as the block's.
bool by_underflow(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    if (record == NULL || facts->behind == 0 || facts->workload != NULL || has_foreign_drain(facts)) return false;
    if (facts->place != NULL && facts->place->in_window && !facts->behind_is_near) return false;
    const char* access = fault_access(record);
    bool read = access != NULL && strcmp(access, "read") == 0, write = access != NULL && strcmp(access, "write") == 0;
    note(verdict, "the fault address is %" PRIu64 " bytes before block 0x%" PRIx64 ", in no block",
         facts->behind - record->fault_address, facts->behind);
    return judge(verdict, "program", facts->behind_is_near ? "high" : "medium",
                 write  ? "your code wrote before the start of a block"
                 : read ? "your code read before the start of a block"
                        : "your code read or wrote before the start of a block");
}

// What the code did to memory, as far as it is known whether it read or wrote.
struct deed {
    const char *wrote, *read, *either;
};

static const char* deed_of(const struct deed* deed, const CrashRecord* record) {
    const char* access = fault_access(record);
    if (access != NULL && strcmp(access, "write") == 0) return deed->wrote;
    return access != NULL && strcmp(access, "read") == 0 ? deed->read : deed->either;
}

// Guard mode closes free memory, and knows which blocks there were.
bool by_closed_memory(struct verdict* verdict, const struct verdict_facts* facts) {
    static const struct deed of_freed = {"your code wrote into a block after it was freed",
                                         "your code read a block after it was freed",
                                         "your code used a block after it was freed"};
    static const struct deed of_nothing = {"your code wrote into a block of zero bytes",
                                           "your code read from a block of zero bytes",
                                           "your code used a block of zero bytes"};
    static const struct deed past_end = {"your code wrote past the end of a block",
                                         "your code read past the end of a block",
                                         "your code read or wrote past the end of a block"};
    static const struct deed where_none_is = {
        "your code wrote where no block is: far past the end of one, or before its start",
        "your code read where no block is: far past the end of one, or before its start",
        "your code read or wrote where no block is: far past the end of one, or before its start"};
    const CrashRecord* record = access_fault(facts);
    const struct heap_place* place = facts->place;
    if (record == NULL || place == NULL || !place->in_window || place->accessible || !facts->has_records ||
        facts->workload != NULL || has_foreign_drain(facts))
        return false;
    note(verdict, "guard mode has closed the memory at the fault address");
    if (facts->held == NULL) return judge(verdict, "program", "medium", deed_of(&where_none_is, record));
    uint64_t size = guard_size(load_relaxed(&facts->held->record.word));
    if (block_record_is_dead(facts->held)) return judge(verdict, "program", "high", deed_of(&of_freed, record));
    if (size == 0) return judge(verdict, "program", "high", deed_of(&of_nothing, record));
    note(verdict, "it is %" PRIu64 " bytes from the start of the %" PRIu64 "-byte block 0x%" PRIx64,
         record->fault_address - facts->held->block, size, facts->held->block);
    return judge(verdict, "program", "high", deed_of(&past_end, record));
}

bool by_freed_memory(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    const struct heap_place* place = facts->place;
    if (record == NULL || place == NULL || !place->in_window || place->accessible) return false;
    json_t* json = heap_place_json(place);
    note(verdict, "the fault address is in the heap: %s", json_get_text(json, "text"));
    json_decref(json);
    if (facts->workload == NULL && !facts->has_records)
        note(verdict, "'hakstress run --guard' tells which block it was, and who freed it");
    const char* access = fault_access(record);
    bool read = access != NULL && strcmp(access, "read") == 0, write = access != NULL && strcmp(access, "write") == 0;
    if (has_foreign_drain(facts)) {
        note_drain(verdict, facts->story);
        cause_missing_change(verdict, facts->story, ", and memory that had been given back was used");
        verdict->confidence = "medium";
        return true;
    }
    if (facts->workload != NULL)
        return judge(verdict, "allocator", "medium",
                     "memory that the allocator had given back to the system was used: please report it");
    return judge(verdict, "program", "high",
                 write  ? "your code wrote into a block after it was freed, or where no block is"
                 : read ? "your code read a block after it was freed, or where no block is"
                        : "your code used a block after it was freed, or memory where no block is");
}

bool by_execution(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
    if (record == NULL) return false;
    uint64_t pc = record->registers[CRASH_PC];
    const char* access = fault_access(record);
    bool execute = access != NULL && strcmp(access, "execute") == 0;
    const struct mapping* mapping = procmaps_find(facts->maps, pc);
    bool code = mapping != NULL && mapping->permissions[2] == 'x';
    if (!execute && (code || facts->maps->count == 0)) return false;
    note(verdict, "the instruction pointer is 0x%" PRIx64 ", where there is no code", pc);
    return judge(
        verdict, facts->workload != NULL ? "unknown" : "program", "medium",
        "a jump to an address without code: a function pointer or return address was overwritten, or was NULL");
}

bool by_null(struct verdict* verdict, const struct verdict_facts* facts) {
    const CrashRecord* record = access_fault(facts);
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
                 "a null pointer was dereferenced, directly or at an offset");
}
