#include "supervise/survived.h"

#include "base/json.h"
#include "child/messages.h"
#include "report/closed_access.h"
#include "supervise/faults.h"
#include "supervise/user_registers.h"

#include <inttypes.h>

enum { COMMAND_BYTES = 4096 };

void survived_start(struct survived* survived, const struct ring_dir* rings) {
    *survived = (struct survived){.rings = rings, .told = json_array()};
}

void survived_free(struct survived* survived) {
    json_decref(survived->told);
    for (size_t i = 0; i < survived->caught_count; i++) json_decref(survived->caught[i].first);
}

static void put_process(json_t* object, pid_t process, pid_t thread) {
    char command[COMMAND_BYTES] = "unknown";
    if (thread != 0) process_command(thread, command, sizeof command);
    json_put_whole(object, "pid", process);
    json_put_text(object, "command", command);
}

// What the library told

void survived_note_told(struct survived* survived, pid_t process, pid_t thread) {
    HakRingFile head;
    struct check_message check = {.check = "unknown", .site = "unknown"};
    if (!ring_dir_read_head(survived->rings, thread != 0 ? thread : process, &head)) return;
    uint32_t count = load_relaxed(&head.passed);
    if (count == 0) return;
    json_t* told = json_object();
    messages_find_check(head.first_passed, &check);
    put_process(told, process, thread);
    json_put_count(told, "count", count);
    json_put_text(told, "check", check.check);
    json_put_text(told, "site", check.site);
    json_put_text(told, "line", check.line);
    json_array_append_new(survived->told, told);
}

bool survived_is_told(const struct survived* survived) {
    return json_array_size(survived->told) > 0;
}

// Accesses that a handler caught

static uint64_t pc_of(const struct tracing_signal* signal) {
    return user_program_counter(&signal->registers);
}

static struct caught_accesses* find(struct survived* survived, pid_t process) {
    for (size_t i = 0; i < survived->caught_count; i++)
        if (survived->caught[i].process == process) return &survived->caught[i];
    return NULL;
}

static struct caught_accesses* add(struct survived* survived, const struct closed_access* access, pid_t process,
                                   json_t* what) {
    if (survived->caught_count == SURVIVED_PROCESSES_MAX) return NULL;
    json_t *first = json_object(), *where = closed_access_where(access);
    put_process(first, process, access->thread);
    json_put_hex(first, "fault_addr", access->address);
    json_object_set(first, "what", what);
    json_object_set_new(first, "where", where != NULL ? where : json_null());
    struct caught_accesses* caught = &survived->caught[survived->caught_count++];
    *caught = (struct caught_accesses){.process = process, .first = first};
    return caught;
}

void survived_note_fault(struct survived* survived, pid_t process, pid_t thread, const struct tracing_signal* signal) {
    HakRingFile head;
    const struct closed_access access = {.thread = thread,
                                         .address = (uint64_t)(uintptr_t)signal->info.si_addr,
                                         .pc = pc_of(signal),
                                         .registers = (const uint64_t*)(const void*)&signal->registers,
                                         .register_count = sizeof signal->registers / sizeof(uint64_t)};
    json_t* what = ring_dir_read_head(survived->rings, thread, &head) ? closed_access_what(&access, &head) : NULL;
    if (what == NULL) return;
    struct caught_accesses* caught = find(survived, process);
    if (caught == NULL) caught = add(survived, &access, process, what);
    json_decref(what);
    if (caught == NULL) return;
    caught->at_last_pc = caught->last_pc == access.pc ? caught->at_last_pc + 1 : 1;
    caught->last_pc = access.pc;
    caught->count++;
}

void survived_note_death(struct survived* survived, const struct tracing_death* death) {
    struct caught_accesses* caught = find(survived, death->process);
    if (caught == NULL || death->signal == NULL || pc_of(death->signal) != caught->last_pc) return;
    caught->count -= caught->at_last_pc;
    caught->at_last_pc = 0;
}

json_t* survived_caught_json(const struct survived* survived) {
    json_t* list = json_array();
    for (size_t i = 0; i < survived->caught_count; i++) {
        const struct caught_accesses* caught = &survived->caught[i];
        if (caught->count == 0) continue;
        json_t* one = json_copy(caught->first);
        json_put_count(one, "count", caught->count);
        json_array_append_new(list, one);
    }
    return list;
}

// Printing

static void print_told(const json_t* told, bool brief, FILE* out) {
    long long count = json_get_whole(told, "count");
    fprintf(out, "run: told count=%lld check=%s site=%s pid=%lld command=%s\n", count,
            json_get_text_or(told, "check", ""), json_get_text_or(told, "site", ""), json_get_whole(told, "pid"),
            json_get_text_or(told, "command", ""));
    if (brief) return;
    fprintf(out, "  HAKMEM_ON_ERROR=report: the program went on after %s; %s: %s\n",
            count == 1 ? "a wrong act" : "wrong acts", count == 1 ? "it was" : "the first was",
            json_get_text_or(told, "line", ""));
}

static void print_caught(const json_t* caught, FILE* out) {
    long long count = json_get_whole(caught, "count");
    const char* where = json_get_text(caught, "where");
    fprintf(out, "run: a signal handler of the program caught %lld access%s to closed memory, pid %lld, %s\n", count,
            count == 1 ? "" : "es", json_get_whole(caught, "pid"), json_get_text_or(caught, "command", ""));
    fprintf(out, "  %s at %s%s%s: %s\n", count == 1 ? "it was" : "the first was",
            json_get_text_or(caught, "fault_addr", ""), where != NULL ? ", in " : "", where != NULL ? where : "",
            json_get_text_or(caught, "what", ""));
}

void survived_print(const struct survived* survived, bool brief, FILE* out) {
    size_t i;
    json_t *one, *caught = survived_caught_json(survived);
    json_array_foreach(survived->told, i, one) print_told(one, brief, out);
    if (!brief) json_array_foreach(caught, i, one) print_caught(one, out);
    json_decref(caught);
}
