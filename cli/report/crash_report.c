#include "report/crash_report.h"

#include "machine.h"
#include "report/hidden_text.h"
#include "report/procmaps.h"
#include "report/rings.h"
#include "report/signals.h"
#include "report/unwind.h"
#include "report/verdict.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAIL_EVENTS = 48, HISTORY_EVENTS = 24, NEAR_ZERO = 0x10000 };

// What a value points at

static json_t* describe_address(const struct report_input* input, const struct procmaps* maps, uint64_t value) {
    const struct crash_record* record = input->crash;
    if (!is_canonical(value)) return json_string("no address (non-canonical)");
    if (value < NEAR_ZERO) return json_string(value == 0 ? "zero" : "a small number");
    if (value > UINT64_MAX - NEAR_ZERO) return json_string("a small negative number");
    if (value >= record->stack_address && value - record->stack_address < record->stack_bytes)
        return json_string("the stack of the crashed thread");
    const struct mapping* mapping = procmaps_find(maps, value);
    if (mapping == NULL) return json_string("nothing is mapped there");
    if (mapping->path[0] == '\0')
        return json_sprintf("anonymous memory %s, 0x%" PRIx64 " + 0x%" PRIx64, mapping->permissions, mapping->start,
                            value - mapping->start);
    return json_sprintf("%s %s, offset 0x%" PRIx64, mapping->path, mapping->permissions,
                        value - mapping->start + mapping->offset);
}

static json_t* value_json(const struct report_input* input, const struct procmaps* maps, uint64_t value) {
    json_t* object = json_object();
    char text[9];
    json_object_set_new(object, "value", json_sprintf("0x%" PRIx64, value));
    json_object_set_new(object, "points_at", describe_address(input, maps, value));
    if (hidden_text_whole(value, text)) json_object_set_new(object, "text", json_string(text));
    return object;
}

// The parts of a crash

static json_t* signal_json(const struct report_input* input, const struct procmaps* maps) {
    const struct crash_record* record = input->crash;
    json_t* signal = json_object();
    json_object_set_new(signal, "number", json_integer(record->signal));
    json_object_set_new(signal, "name", json_string(signal_name(record->signal)));
    json_object_set_new(signal, "code", json_integer(record->code));
    json_object_set_new(signal, "code_name", json_string(signal_code_name(record->signal, record->code)));
    if (record->code <= 0) {
        json_object_set_new(signal, "sender", json_integer(record->sender));
        return signal;
    }
    json_object_set_new(signal, "fault_addr", json_sprintf("0x%" PRIx64, record->fault_address));
    json_object_set_new(signal, "fault_addr_is", value_json(input, maps, record->fault_address));
    const char* access = fault_access(record);
    json_object_set_new(signal, "access", access != NULL ? json_string(access) : json_null());
    return signal;
}

static json_t* registers_json(const struct report_input* input, const struct procmaps* maps) {
    json_t* registers = json_array();
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) == NULL) continue;
        json_t* one = value_json(input, maps, input->crash->registers[i]);
        json_object_set_new(one, "name", json_string(register_name(i)));
        json_array_append_new(registers, one);
    }
    return registers;
}

static void add_history(json_t* histories, const struct report_input* input, const char* name, uint64_t address) {
    const struct crash_record* record = input->crash;
    if (address < NEAR_ZERO) return;
    json_t* events = rings_history(input->ring, record->time, address, HISTORY_EVENTS);
    if (json_array_size(events) == 0) {
        json_decref(events);
        return;
    }
    json_t* history = json_object();
    json_object_set_new(history, "of", json_string(name));
    json_object_set_new(history, "address", json_sprintf("0x%" PRIx64, address));
    json_object_set_new(history, "events", events);
    json_array_append_new(histories, history);
}

// What the rings know of the blocks that the fault address and the registers name.
static json_t* histories_json(const struct report_input* input) {
    const struct crash_record* record = input->crash;
    json_t* histories = json_array();
    add_history(histories, input, "fault_addr", record->fault_address);
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        bool seen = record->registers[i] == record->fault_address;
        for (unsigned j = 0; j < i; j++) seen = seen || record->registers[j] == record->registers[i];
        if (!seen && register_name(i) != NULL) add_history(histories, input, register_name(i), record->registers[i]);
    }
    return histories;
}

static void add_crash(json_t* report, const struct report_input* input, const struct procmaps* maps) {
    const struct crash_record* record = input->crash;
    uint32_t os_tid = load_relaxed(&record->claimed);
    const char* problem = NULL;
    json_object_set_new(report, "signal", signal_json(input, maps));
    json_object_set_new(report, "os_tid", json_integer(os_tid));
    json_object_set_new(report, "thread", json_integer((json_int_t)rings_thread_number(input->ring, os_tid)));
    json_object_set_new(report, "registers", registers_json(input, maps));
    json_object_set_new(report, "backtrace", unwind_crash(record, maps, input->child, &problem));
    if (problem != NULL) json_object_set_new(report, "backtrace_problem", json_string(problem));
    json_object_set_new(report, "histories", histories_json(input));
}

// The parts of a hang: a backtrace of every thread

static int is_thread(const struct dirent* entry) {
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

static json_t* thread_json(const struct report_input* input, const struct procmaps* maps, pid_t thread) {
    const char* problem = NULL;
    json_t* object = json_object();
    json_object_set_new(object, "os_tid", json_integer(thread));
    json_object_set_new(object, "thread", json_integer((json_int_t)rings_thread_number(input->ring, (uint32_t)thread)));
    json_object_set_new(object, "backtrace", unwind_thread(maps, thread, &problem));
    if (problem != NULL) json_object_set_new(object, "backtrace_problem", json_string(problem));
    return object;
}

static void add_threads(json_t* report, const struct report_input* input, const struct procmaps* maps) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)input->child);
    struct dirent** found;
    int count = scandir(path, &found, is_thread, versionsort);
    json_t* threads = json_array();
    for (int i = 0; i < count; i++) {
        json_array_append_new(threads, thread_json(input, maps, (pid_t)strtol(found[i]->d_name, NULL, 10)));
        free(found[i]);
    }
    if (count >= 0) free(found);
    json_object_set_new(report, "threads", threads);
}

// Counters: what the child wrote down last

static json_t* counters_json(const struct child_statistics* statistics) {
    static char text[STATISTICS_BYTES];
    if (statistics == NULL) return json_null();
    uint32_t before = load_acquire(&statistics->sequence);
    memcpy(text, statistics->text, sizeof text);
    text[sizeof text - 1] = '\0';
    bool whole = before != 0 && before % 2 == 0 && load_seq_cst(&statistics->sequence) == before;
    json_t* counters = whole ? json_loads(text, 0, NULL) : NULL;
    return counters != NULL ? counters : json_null();
}

static bool load_maps(struct procmaps* maps, const struct report_input* input) {
    const struct crash_record* record = input->crash;
    if (input->reason == REPORT_CRASH && procmaps_parse(maps, record->maps, record->maps_bytes)) return true;
    return input->child > 0 && procmaps_read(maps, input->child);
}

// Is the process in state T: stopped by a signal?
static bool is_stopped(pid_t pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    machine_read_line(path, line, sizeof line);
    const char* state = strrchr(line, ')');
    return state != NULL && strncmp(state, ") T", 3) == 0;
}

static json_t* verdict_json(const struct report_input* input, const struct procmaps* maps) {
    struct verdict_facts facts = {
        .record = input->reason == REPORT_CRASH ? input->crash : NULL,
        .check = input->check,
        .maps = maps,
        .died_of = input->died_of,
        .hang = input->reason == REPORT_HANG,
        .stopped = input->reason == REPORT_HANG && is_stopped(input->child),
    };
    return verdict_make(&facts);
}

static double zero_time(const struct report_input* input) {
    if (input->reason == REPORT_CRASH) return input->crash->time;
    return workload_clock();
}

json_t* crash_report_make(const struct report_input* input) {
    static const char* const reasons[] = {[REPORT_CRASH] = "crash", [REPORT_DEATH] = "death", [REPORT_HANG] = "hang"};
    const HakRingFile* ring = input->ring;
    struct procmaps maps = {0};
    bool have_maps = load_maps(&maps, input);
    json_t* report = json_object();
    json_object_set_new(report, "schema", json_integer(CRASH_REPORT_SCHEMA));
    json_object_set_new(report, "kind", json_string("crash_report"));
    json_object_set_new(report, "reason", json_string(reasons[input->reason]));
    json_object_set_new(report, "after", json_real(input->after));
    json_object_set_new(report, "events", json_integer((json_int_t)rings_events(ring)));
    json_object_set_new(report, "verdict", verdict_json(input, &maps));
    if (input->check != NULL) {
        json_object_set_new(report, "check", json_string(input->check->check));
        json_object_set_new(report, "site", json_string(input->check->site));
    }
    if (input->died_of != 0) json_object_set_new(report, "died_of", json_string(signal_name(input->died_of)));
    if (input->reason == REPORT_CRASH) add_crash(report, input, &maps);
    if (input->reason == REPORT_HANG) add_threads(report, input, &maps);
    json_object_set_new(report, "counters", counters_json(input->statistics));
    json_object_set_new(report, "messages", json_string(input->messages));
    json_object_set_new(report, "rings",
                        rings_tails(ring, zero_time(input), load_relaxed(&input->crash->claimed), TAIL_EVENTS));
    if (!have_maps) json_object_set_new(report, "maps_problem", json_string("the memory map could not be had"));
    procmaps_free(&maps);
    return report;
}
