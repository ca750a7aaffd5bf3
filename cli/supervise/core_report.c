#include "supervise/core_report.h"

#include "base/json.h"
#include "binary/symbol.h"
#include "report/core_file.h"
#include "report/crash_report.h"
#include "supervise/crash_copy.h"
#include "supervise/user_registers.h"
#include "workload/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MOST = 1 << 20 };

// What the library notes in the ring, found by its symbols.

struct search {
    const struct core_file* core;
    struct process_memory memory;
    const char* path;  // of the file that has the allocator
    uint64_t base;     // to be added to its symbols
};

static uint64_t address_of(const struct search* search, const char* name) {
    uint64_t value;
    return elf_symbol(search->path, name, &value) ? search->base + value : 0;
}

static bool find_allocator(struct search* search) {
    uint64_t value;
    uint16_t type;
    enum { TYPE_AT = 16, EXECUTABLE = 2 };
    for (size_t i = 0; i < search->core->maps.count; i++) {
        const struct mapping* mapping = &search->core->maps.mappings[i];
        bool starts = mapping->path[0] == '/' && mapping->offset == 0;
        if (!starts || !elf_symbol(mapping->path, "hak_heap", &value)) continue;
        search->path = mapping->path;
        bool fixed =
            process_memory_read(&search->memory, mapping->start + TYPE_AT, &type, sizeof type) && type == EXECUTABLE;
        search->base = fixed ? 0 : mapping->start;
        return true;
    }
    return false;
}

// The ring if it is in the core, else one that only leads to the heap. The caller frees it.
static HakRingFile* find_ring(const struct search* search) {
    uint64_t pointer = address_of(search, "ring_file"), address = 0;
    HakRingFile* ring = calloc(1, sizeof *ring);
    if (ring == NULL) return NULL;
    bool has = pointer != 0 && process_memory_read(&search->memory, pointer, &address, sizeof address) &&
               address != 0 && process_memory_read(&search->memory, address, ring, sizeof *ring) &&
               load_relaxed(&ring->magic) == HAK_RING_MAGIC && ring->version == HAK_RING_VERSION &&
               ring->slots == HAK_RING_SLOTS && ring->records <= RECORDS_MOST;
    size_t bytes = has ? hak_ring_bytes(ring->records) : 0;
    HakRingFile* whole = has ? malloc(bytes) : NULL;
    if (whole != NULL && process_memory_read(&search->memory, address, whole, bytes)) {
        free(ring);
        whole->last_words[sizeof whole->last_words - 1] = whole->first_passed[sizeof whole->first_passed - 1] = '\0';
        return whole;
    }
    free(whole);
    memset(ring, 0, sizeof *ring);
    ring->heap = address_of(search, "hak_heap");
    ring->link_key = address_of(search, "hak_link_key");
    store_relaxed(&ring->magic, HAK_RING_MAGIC);
    return ring;
}

// The record of the crash

static void copy_maps(CrashRecord* record, const struct procmaps* maps) {
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping* mapping = &maps->mappings[i];
        size_t left = sizeof record->maps - record->maps_bytes;
        int length =
            snprintf(record->maps + record->maps_bytes, left, "%" PRIx64 "-%" PRIx64 " %s %" PRIx64 " 00:00 0 %s\n",
                     mapping->start, mapping->end, mapping->permissions, mapping->offset, mapping->path);
        if (length < 0 || (size_t)length >= left) return;
        record->maps_bytes += (size_t)length;
    }
}

static void copy_stack(CrashRecord* record, const struct process_memory* memory, uint64_t stack_pointer) {
    enum { RED_ZONE = 128, PART = 4096 };
    record->stack_address = stack_pointer - RED_ZONE;
    while (record->stack_bytes + PART <= sizeof record->stack &&
           process_memory_read(memory, record->stack_address + record->stack_bytes, record->stack + record->stack_bytes,
                               PART))
        record->stack_bytes += PART;
}

static void make_record(CrashRecord* record, const struct core_file* core, const struct process_memory* memory) {
    memset(record, 0, sizeof *record);
    record->signal = core->number != 0 ? core->number : core->signal.si_signo;
    record->code = core->signal.si_code;
    record->time = workload_clock();
    if (record->code > 0)
        record->fault_address = (uint64_t)(uintptr_t)core->signal.si_addr;
    else
        record->sender = core->signal.si_signo != 0 ? core->signal.si_pid : core->process;
    crash_copy_registers(record, &core->threads[0].registers);
    copy_maps(record, &core->maps);
    copy_stack(record, memory, user_stack_pointer(&core->threads[0].registers));
    store_relaxed(&record->claimed, (uint32_t)core->threads[0].thread);
    store_relaxed(&record->ready, 1u);
}

static json_t* other_threads(const struct core_file* core, const char* program) {
    json_t* threads = json_array();
    for (size_t i = 1; i < core->thread_count; i++) {
        const char* problem = NULL;
        json_t* object = json_object();
        json_put_whole(object, "os_tid", core->threads[i].thread);
        json_object_set_new(object, "backtrace", core_file_stack(core, program, core->threads[i].thread, &problem));
        if (problem != NULL) json_put_text(object, "backtrace_problem", problem);
        json_array_append_new(threads, object);
    }
    return threads;
}

static void read_last_words(const struct search* search, char* out, size_t size) {
    uint64_t address = address_of(search, "hakmem_last_words");
    if (address == 0 || !process_memory_read(&search->memory, address, out, size)) out[0] = '\0';
    out[size - 1] = '\0';
}

json_t* core_report(const char* path, const char* program, uint64_t address, const char** problem) {
    static CrashRecord record;
    struct core_file core;
    char words[1024] = "";
    struct check_message check;
    if (!core_file_open(&core, path, program, problem)) return NULL;
    struct search search = {.core = &core};
    core_file_memory(&core, &search.memory);
    HakRingFile* ring = find_allocator(&search) ? find_ring(&search) : calloc(1, sizeof *ring);
    if (search.path != NULL) read_last_words(&search, words, sizeof words);
    make_record(&record, &core, &search.memory);
    const char* stack_problem = NULL;
    bool checked = messages_find_check(words, &check);
    struct report_input input = {
        .reason = REPORT_CRASH,
        .crash = &record,
        .ring = ring,
        .memory = &search.memory,
        .backtrace = core_file_stack(&core, program, core.threads[0].thread, &stack_problem),
        .backtrace_problem = stack_problem,
        .threads = other_threads(&core, program),
        .address = address,
        .messages = words,
        .check = checked ? &check : NULL,
        .command = core.command,
        .process = core.process,
    };
    json_t* report = ring != NULL ? crash_report_make(&input) : NULL;
    if (report == NULL) *problem = "out of memory";
    if (report != NULL) {
        json_put_text(report, "command", core.command);
        json_put_text(report, "again", core.command);
        json_put_whole(report, "pid", core.process);
    }
    json_decref(input.backtrace);
    json_decref(input.threads);
    free(ring);
    core_file_close(&core);
    return report;
}
