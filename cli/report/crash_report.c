#include "report/crash_report.h"

#include "base/json.h"
#include "base/machine.h"
#include "process/procmaps.h"
#include "report/block_past.h"
#include "report/code_place.h"
#include "report/crossed_block.h"
#include "report/heap_state.h"
#include "report/heap_view.h"
#include "report/hidden_text.h"
#include "report/history.h"
#include "report/late_names.h"
#include "report/page_view.h"
#include "report/rings.h"
#include "report/signals.h"
#include "report/story.h"
#include "report/threads.h"
#include "report/unwind.h"
#include "report/verdict.h"
#include "report/waits.h"
#include "report/where.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAIL_EVENTS = 48, HISTORY_EVENTS = 24, HISTORIES = 8, SLAB_HISTORY_EVENTS = 40, NEAR_ZERO = 0x10000 };
enum { UNDERFLOW_REACH = 4096, UNDERFLOW_NEAR = 64 };

static const char* const reasons[] = {[REPORT_CRASH] = "crash",
                                      [REPORT_DEATH] = "death",
                                      [REPORT_HANG] = "hang",
                                      [REPORT_TIMEOUT] = "timeout",
                                      [REPORT_ASKED] = "asked"};

// The sources of a report, opened once.
struct making {
    const struct report_input* input;
    const CrashRecord* record;  // NULL: nothing was copied
    struct procmaps maps;
    struct heap_view heap;
    struct ring_reader rings;
    struct story story;
    uint32_t os_tid, thread;  // of the crash; 0: unknown
    json_t* backtrace;        // of that thread; NULL: nothing was copied
    const char* backtrace_problem;
    struct page_view pages;    // root 0: no block has pages of its own
    struct page_fault page;    // what the fault address is there
    struct heap_place behind;  // the block that begins after the fault address; kind HEAP_UNKNOWN: none
    json_t* blocks;            // what guard mode recorded about the blocks concerned
    json_t* missing;           // what is missing
    // of a living process
    struct threads_seen threads;
    json_t* waits;  // NULL: not searched for
};

__attribute__((format(printf, 2, 3))) static void not_had(struct making* making, const char* format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(making->missing, json_text(text));
}

static bool has_ring(const struct report_input* input) {
    return load_relaxed(&input->ring->magic) == HAK_RING_MAGIC;
}

// What a value points to

static json_t* mapping_text(const struct mapping* mapping, uint64_t value) {
    if (mapping == NULL) return json_string("nothing is mapped there");
    if (mapping->path[0] == '\0')
        return json_sprintf("anonymous memory %s, 0x%" PRIx64 " + 0x%" PRIx64, mapping->permissions, mapping->start,
                            value - mapping->start);
    return json_format("%s %s, offset 0x%" PRIx64, mapping->path, mapping->permissions,
                       value - mapping->start + mapping->offset);
}

static json_t* number_text(const struct making* making, uint64_t value) {
    const CrashRecord* record = making->record;
    if (hidden_poison(value, HIDDEN_POISON)) return json_string("the fill pattern of freed memory, read as a pointer");
    if (!is_canonical(value)) return json_string("not an address (non-canonical)");
    if (value < NEAR_ZERO) return json_string(value == 0 ? "zero" : "a small number");
    if (value > UINT64_MAX - NEAR_ZERO) return json_string("a small negative number");
    if (value >> 63 != 0) return json_string("an address in the kernel's half");
    if (record != NULL && value >= record->stack_address && value - record->stack_address < record->stack_bytes)
        return json_string("the stack of the crashed thread");
    return NULL;
}

// The fault address is told of the same block as in the verdict.
static json_t* page_text(const struct making* making, uint64_t value) {
    char text[128];
    struct page_slot slot;
    struct page_fault fault = making->page;
    if (making->pages.root == 0) return NULL;
    if (fault.kind == PAGE_NOTHING || value != making->record->fault_address) {
        if (!page_view_find(&making->pages, value, &slot)) return NULL;
        fault = page_fault_of(&slot, value);
    }
    page_fault_text(&fault, value, text, sizeof text);
    return json_sprintf("%s, on pages of its own, %s", text, fault.kind == PAGE_AFTER_FREE ? "freed" : "in use");
}

static json_t* value_json(struct making* making, uint64_t value) {
    json_t* object = json_object();
    char text[9];
    json_put_hex(object, "value", value);
    if (hidden_text_whole(value, text)) json_put_text(object, "text", text);
    json_t* what = number_text(making, value);
    if (what == NULL) {
        struct heap_place place = heap_view_find(&making->heap, value);
        if (place.kind != HEAP_FOREIGN && place.kind != HEAP_UNKNOWN) {
            json_t* json = heap_place_json(&place);
            what = json_incref(json_object_get(json, "text"));
            json_object_set_new(object, "place", json);
        } else if ((what = page_text(making, value)) == NULL) {
            what = mapping_text(procmaps_find(&making->maps, value), value);
        }
    }
    json_object_set_new(object, "points_at", what);
    return object;
}

// The parts of a crash

static json_t* signal_json(struct making* making) {
    const CrashRecord* record = making->record;
    json_t* signal = json_object();
    json_put_whole(signal, "number", record->signal);
    json_put_text(signal, "name", signal_name(record->signal));
    json_put_whole(signal, "code", record->code);
    json_put_text(signal, "code_name", signal_code_name(record->signal, record->code));
    if (record->code <= 0) {
        json_put_whole(signal, "sender", record->sender);
        return signal;
    }
    json_put_hex(signal, "fault_addr", record->fault_address);
    json_object_set_new(signal, "fault_addr_is", value_json(making, record->fault_address));
    const char* access = fault_access(record);
    json_object_set_new(signal, "access", access != NULL ? json_string(access) : json_null());
    return signal;
}

static json_t* registers_json(struct making* making) {
    json_t* registers = json_array();
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) == NULL) continue;
        json_t* one = value_json(making, making->record->registers[i]);
        json_put_text(one, "name", register_name(i));
        json_array_append_new(registers, one);
    }
    return registers;
}

// Histories

static bool has_history(const json_t* histories, const char* key, const json_t* value) {
    size_t i;
    json_t* history;
    json_array_foreach(histories, i, history) {
        if (json_equal(json_object_get(history, key), value) == 1) return true;
    }
    return false;
}

static void append_once(json_t* histories, const char* key, json_t* history) {
    bool wanted = history != NULL && json_array_size(histories) < HISTORIES &&
                  !has_history(histories, key, json_object_get(history, key));
    if (wanted)
        json_array_append_new(histories, history);
    else
        json_decref(history);
}

// Of the block that a value points into or, if the heap cannot be read, of the value itself.
static void add_block_history(struct making* making, json_t* histories, const char* of, uint64_t value) {
    if (value < NEAR_ZERO || !is_canonical(value)) return;
    struct heap_place place = heap_view_find(&making->heap, value);
    uint64_t block = place.block != 0 ? place.block : value;
    append_once(histories, "address", history_of_block_json(&making->rings, of, block, HISTORY_EVENTS));
}

static json_t* histories_json(struct making* making) {
    const CrashRecord* record = making->record;
    json_t* histories = json_array();
    if (making->story.has_link) add_block_history(making, histories, "the story", making->story.block);
    if (record == NULL) return histories;
    if (record->code > 0) add_block_history(making, histories, "fault_addr", record->fault_address);
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL) add_block_history(making, histories, register_name(i), record->registers[i]);
    }
    return histories;
}

static void add_slab_history(struct making* making, json_t* histories, const char* of, uint32_t slab) {
    json_t* history = history_of_slab_json(&making->rings, of, slab, SLAB_HISTORY_EVENTS);
    if (history != NULL && making->heap.problem == NULL) {
        struct heap_place place = heap_view_slab(&making->heap, slab);
        json_object_set_new(history, "place", heap_place_json(&place));
    }
    append_once(histories, "slab", history);
}

static json_t* slab_histories_json(struct making* making) {
    json_t* histories = json_array();
    add_slab_history(making, histories, "the story", making->story.slab);
    if (making->record != NULL && making->record->code > 0)
        add_slab_history(making, histories, "fault_addr",
                         heap_view_find(&making->heap, making->record->fault_address).slab);
    return histories;
}

static void add_crash(json_t* report, struct making* making) {
    json_object_set_new(report, "signal", signal_json(making));
    json_put_whole(report, "os_tid", making->os_tid);
    json_put_whole(report, "thread", making->thread);
    json_object_set_new(report, "registers", registers_json(making));
    json_object_set(report, "backtrace", making->backtrace);
    if (making->backtrace_problem != NULL) json_put_text(report, "backtrace_problem", making->backtrace_problem);
}

// The parts of a living process

static bool is_living(const struct report_input* input) {
    return input->reason >= REPORT_HANG;
}

static void see_threads(struct making* making) {
    const struct report_input* input = making->input;
    if (!is_living(input) || input->child <= 0) return;
    threads_see(&making->threads, &making->maps, input->ring, input->child, input->held);
    making->waits = waits_find(&making->threads, &making->heap.memory, has_ring(input) ? input->ring->locks : 0);
}

static void add_threads(json_t* report, struct making* making) {
    json_t* threads = json_array();
    for (size_t i = 0; i < making->threads.count; i++) json_array_append(threads, making->threads.list[i].json);
    json_object_set_new(report, "threads", threads);
    if (making->waits != NULL) json_object_set(report, "waits", making->waits);
}

// What a core dump has besides.
static void add_core(json_t* report, struct making* making) {
    json_object_set(report, "threads", making->input->threads);
    json_t* state = heap_state_json(&making->heap);
    if (state != NULL) json_object_set_new(report, "heap_state", state);
    if (making->input->address == 0) return;
    json_t* histories = json_array();
    add_block_history(making, histories, "the address", making->input->address);
    json_object_set_new(report, "address", value_json(making, making->input->address));
    json_object_set_new(report, "address_history", histories);
}

// Counters, as the child last wrote them

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

static bool load_maps(struct making* making) {
    const struct report_input* input = making->input;
    if (making->record != NULL && procmaps_parse(&making->maps, making->record->maps, making->record->maps_bytes))
        return true;
    return input->child > 0 && procmaps_read(&making->maps, input->child);
}

// Is the process in state T: stopped by a signal?
static bool is_stopped(pid_t pid) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    machine_read_line(path, line, sizeof line);
    const char* state = strrchr(line, ')');
    return state != NULL && strncmp(state, ") T", 3) == 0;
}

// A check may name addresses of code: adds their functions.
static void name_code_in_check(struct making* making, json_t* evidence) {
    const char* at = making->input->check != NULL ? making->input->check->line : "";
    while ((at = strstr(at, " pc 0x")) != NULL) {
        at += strlen(" pc ");
        json_t* place = code_place(&making->maps, strtoull(at, NULL, 16), 1);
        const char* module = json_get_text(place, "module");
        char code[1400];
        code_place_offset_text(place, code, sizeof code);
        if (module != NULL)
            json_array_append_new(evidence, json_format("pc %s is %s in %s", json_get_text(place, "pc"), code, module));
        json_decref(place);
    }
}

// What is known about the block concerned.
static void add_pasts(struct making* making, json_t* verdict) {
    static const char* const rules[] = {"underflow",     "poison_address", "impossible_address",
                                        "closed_memory", "freed_memory",   "text_address"};
    const char* rule = json_get_text(verdict, "rule");
    bool behind = strcmp(rule, "underflow") == 0, page = strcmp(rule, "page") == 0, wanted = page;
    bool held = strcmp(rule, "closed_memory") == 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) wanted = wanted || strcmp(rule, rules[i]) == 0;
    wanted = wanted && making->input->workload == NULL;
    const char* of = behind ? BLOCK_PAST_BEHIND : page || held ? BLOCK_PAST_FAULT : NULL;
    json_t* sentence = wanted ? block_past_sentence(making->blocks, of) : NULL;
    if (sentence != NULL) json_array_append_new(json_object_get(verdict, "evidence"), sentence);
}

// Had malloc given NULL to the thread shortly before? Programs that do not expect that crash or abort.
static void add_refusal(struct making* making, json_t* evidence) {
    enum { RECENT = 100 };
    HakRingRecord refused;
    if (making->record == NULL || !rings_last(making->input->ring, making->os_tid, HAK_EVENT_refused, RECENT, &refused))
        return;
    char where[1400];
    json_t* place = code_place(&making->maps, refused.ptr, 1);
    code_place_text(place, where, sizeof where);
    json_decref(place);
    json_array_append_new(evidence, json_format("malloc had just refused %" PRIu64 " bytes%s%s%s", refused.b,
                                                where[0] != '\0' ? " in " : "", where,
                                                refused.a == 1 ? ", as an option asks" : ""));
}

static unsigned threads_at(const struct threads_seen* threads, const char* place, size_t from) {
    char other[1024];
    unsigned count = 0;
    for (size_t i = from; i < threads->count; i++) {
        code_place_own_text(json_object_get(threads->list[i].json, "backtrace"), other, sizeof other);
        count += strcmp(other, place) == 0;
    }
    return count;
}

// Where the threads of a living process are. Each place is named once.
static void add_thread_places(const struct making* making, json_t* evidence) {
    enum { PLACES_MOST = 8 };
    const struct threads_seen* threads = &making->threads;
    char place[1024];
    size_t places = 0;
    for (size_t i = 0; i < threads->count && places < PLACES_MOST; i++) {
        code_place_own_text(json_object_get(threads->list[i].json, "backtrace"), place, sizeof place);
        unsigned here = threads_at(threads, place, i);
        if (place[0] == '\0' || here < threads_at(threads, place, 0)) continue;  // named before
        places++;
        json_array_append_new(evidence, json_format("%u thread%s in %s", here, here == 1 ? "" : "s", place));
    }
}

// If the crash handler itself crashed, part of the record is there.
static bool handler_died(const struct report_input* input) {
    return input->reason == REPORT_DEATH && load_relaxed(&input->crash->claimed) != 0;
}

static json_t* verdict_json(struct making* making) {
    const struct report_input* input = making->input;
    struct heap_place place = {0};
    if (making->record != NULL) place = heap_view_find(&making->heap, making->record->fault_address);
    const struct crossed_block_input of = {
        .record = making->record, .check = input->check, .backtrace = making->backtrace, .heap = &making->heap};
    struct crossed_block crossed = crossed_block_find(&of);
    uint64_t root = has_ring(input) ? input->ring->guard : 0;
    struct block_record held;
    bool is_held = making->record != NULL && making->record->code > 0 &&
                   block_record_find(&making->heap.memory, root, making->record->fault_address, &held);
    struct verdict_facts facts = {
        .record = making->record,
        .check = input->check,
        .maps = &making->maps,
        .story = &making->story,
        .place = making->record != NULL ? &place : NULL,
        .workload = input->workload,
        .process = input->process,
        .died_of = input->died_of,
        .handler_died = handler_died(input),
        .has_ring = has_ring(input),
        .link_key = making->heap.link_key,
        .heap_start = heap_view_slab_address(&making->heap, SLABS_PER_UNIT),
        .heap_end = heap_view_slab_address(&making->heap, (uint32_t)load_relaxed(&making->heap.heap.slabs)),
        .behind = making->behind.block,
        .behind_is_near = making->behind.block - making->behind.address <= UNDERFLOW_NEAR,
        .page = &making->page,
        .crossed = &crossed,
        .held = is_held ? &held : NULL,
        .has_records = root != 0,
        .backtrace = making->backtrace,
        .living = is_living(input) ? reasons[input->reason] : NULL,
        .deadlock = json_object_get(making->waits, "deadlock"),
        .stopped = is_living(input) && (input->stopped || is_stopped(input->child)),
    };
    json_t* verdict = verdict_make(&facts);
    name_code_in_check(making, json_object_get(verdict, "evidence"));
    add_refusal(making, json_object_get(verdict, "evidence"));
    add_pasts(making, verdict);
    if (json_array_size(json_object_get(making->waits, "deadlock")) == 0)
        add_thread_places(making, json_object_get(verdict, "evidence"));
    late_names_note(json_object_get(verdict, "evidence"), making->backtrace);
    if (input->workload == NULL && input->reason == REPORT_CRASH) {
        const char* words = input->check != NULL ? input->check->line : "";
        json_t* where = where_text(words, &making->maps, making->backtrace, making->blocks);
        json_object_set_new(verdict, "where", where != NULL ? where : json_null());
    }
    return verdict;
}

// The first line of the text, for a search through many reports.
static json_t* headline(const struct making* making) {
    const struct report_input* input = making->input;
    const CrashRecord* record = making->record;
    const char* site = making->story.site != NULL ? making->story.site : "none";
    if (is_living(input)) return json_sprintf("hakstress: %s after=%.3f", reasons[input->reason], input->after);
    if (input->check != NULL)
        return json_format("hakstress: crash check=%s site=%s thread=%u os_tid=%u after=%.3f", input->check->check,
                           input->check->site, making->thread, making->os_tid, input->after);
    if (record == NULL)
        return json_sprintf("hakstress: death signal=%s after=%.3f", signal_name(input->died_of), input->after);
    if (record->code <= 0)
        return json_sprintf("hakstress: crash signal=%s sender=%d thread=%u os_tid=%u after=%.3f",
                            signal_name(record->signal), record->sender, making->thread, making->os_tid, input->after);
    return json_sprintf(
        "hakstress: crash signal=%s fault_addr=0x%" PRIx64 " thread=%u os_tid=%u foreign_drain=%s after=%.3f",
        signal_name(record->signal), record->fault_address, making->thread, making->os_tid, site, input->after);
}

static void say_what_is_missing(struct making* making, bool have_maps) {
    const struct report_input* input = making->input;
    const struct heap_view* heap = &making->heap;
    if (input->died_of != 0 && making->record == NULL)
        not_had(making,
                "registers and stack: the process died of %s before they could be copied; rings and counters are "
                "available",
                signal_name(input->died_of));
    if (handler_died(input))
        not_had(making, "%s: the crash handler itself crashed, in os thread %u",
                making->record != NULL ? "stack and memory map" : "registers, stack and memory map", making->os_tid);
    if (heap->problem != NULL) not_had(making, "the places of addresses: %s", heap->problem);
    if (!have_maps) not_had(making, "the memory map of the process");
    if (making->record != NULL && making->record->stack_bytes == 0) not_had(making, "a copy of the stack");
    if (!has_ring(input))
        not_had(making,
                "events, counters and messages of checks: the process has no debug ring; the library was not used, or "
                "the file of the ring could not be created");
    uint64_t since = rings_complete_since(&making->rings);
    if (since != 0)
        not_had(making, "older events: some rings begin only %.3f ms before the end; for longer rings set HAKMEM_RING",
                -1e3 * rings_time(&making->rings, since));
    if (input->messages[0] == '\0' && input->check != NULL)
        not_had(making, "messages on stderr: it was closed; the last line comes from the debug ring");
}

// A block in use that begins where the faulting page ends.
static void find_block_behind(struct making* making) {
    const CrashRecord* record = making->record;
    if (record == NULL || record->code <= 0 || record->fault_address < NEAR_ZERO) return;
    struct heap_place at = heap_view_find(&making->heap, (record->fault_address | (UNDERFLOW_REACH - 1)) + 1);
    bool live = at.kind == HEAP_HUGE || (at.kind == HEAP_RUN && !at.cached) ||
                (at.kind == HEAP_BLOCK && at.state == BLOCK_LIVE_OR_CACHED);
    if (!live || at.offset != 0) return;
    making->behind = at;
    making->behind.address = record->fault_address;
}

// The block on pages of its own that the access was about.
static void find_page(struct making* making) {
    const CrashRecord* record = making->record;
    bool any =
        has_ring(making->input) && page_view_open(&making->pages, &making->heap.memory, making->input->ring->guard);
    if (!any || record == NULL || record->code <= 0 || record->fault_address < NEAR_ZERO) return;
    making->page = page_fault_find(&making->pages, record->fault_address, record->registers, CRASH_REGISTERS);
}

static void find_blocks(struct making* making) {
    const struct report_input* input = making->input;
    const struct block_past_input of = {.memory = &making->heap.memory,
                                        .root = has_ring(input) ? input->ring->guard : 0,
                                        .stacks = has_ring(input) ? input->ring->stacks : 0,
                                        .maps = &making->maps,
                                        .rings = &making->rings,
                                        .record = making->record,
                                        .words = input->check != NULL ? input->check->line : "",
                                        .behind = making->behind.block,
                                        .block = making->page.block};
    making->blocks = block_past_list(&of);
}

static void open_making(struct making* making, const struct report_input* input) {
    const CrashRecord* record = input->crash;
    *making = (struct making){.input = input, .missing = json_array()};
    bool copied = load_acquire(&record->ready) != 0 || load_acquire(&record->started) != 0;
    if (!is_living(input) && (input->reason == REPORT_CRASH || copied)) making->record = record;
    making->os_tid = load_relaxed(&record->claimed);
    making->thread = (uint32_t)rings_thread_number(input->ring, making->os_tid);
    bool have_maps = load_maps(making);
    if (input->memory != NULL)
        heap_view_open_memory(&making->heap, input->ring, input->memory, &making->maps);
    else
        heap_view_open(&making->heap, input->ring, input->child, &making->maps);
    const CrashRecord* dated = making->record;
    rings_open(&making->rings, input->ring, &making->heap, dated != NULL ? dated->tick : 0,
               dated != NULL ? dated->time : workload_clock());
    const struct story_input of = {.rings = &making->rings,
                                   .heap = &making->heap,
                                   .record = making->record,
                                   .check = input->check,
                                   .workload = input->workload,
                                   .thread = making->thread,
                                   .os_tid = making->os_tid};
    story_find(&making->story, &of);
    if (input->memory != NULL) {
        making->backtrace = json_incref(input->backtrace);
        making->backtrace_problem = input->backtrace_problem;
    } else if (making->record != NULL)
        making->backtrace = unwind_crash(making->record, &making->maps, input->child, &making->backtrace_problem);
    see_threads(making);
    find_block_behind(making);
    find_page(making);
    find_blocks(making);
    say_what_is_missing(making, have_maps);
}

json_t* crash_report_make(const struct report_input* input) {
    struct making making;
    open_making(&making, input);
    json_t* report = json_object();
    json_put_whole(report, "schema", CRASH_REPORT_SCHEMA);
    json_put_text(report, "kind", "crash_report");
    json_put_text(report, "reason", reasons[input->reason]);
    json_object_set_new(report, "headline", headline(&making));
    json_put_real(report, "after", input->after);
    json_put_count(report, "events", rings_events(input->ring));
    json_object_set_new(report, "verdict", verdict_json(&making));
    json_object_set_new(report, "story", making.story.json != NULL ? making.story.json : json_null());
    if (input->check != NULL) {
        json_put_text(report, "check", input->check->check);
        json_put_text(report, "site", input->check->site);
        json_put_text(report, "check_line", input->check->line);
    }
    if (input->died_of != 0) json_put_text(report, "died_of", signal_name(input->died_of));
    if (making.record != NULL) add_crash(report, &making);
    if (is_living(input)) add_threads(report, &making);
    if (input->memory != NULL) add_core(report, &making);
    json_object_set(report, "blocks", making.blocks);
    json_object_set_new(report, "histories", histories_json(&making));
    json_object_set_new(report, "slab_histories", slab_histories_json(&making));
    json_object_set_new(report, "rings", rings_tails(&making.rings, making.os_tid, TAIL_EVENTS));
    json_object_set_new(report, "counters", counters_json(input->statistics));
    json_object_set_new(report, "foreign_drains", rings_foreign_drain_counts(input->ring));
    json_put_text(report, "messages", input->messages);
    json_object_set_new(report, "not_had", making.missing);
    json_decref(making.blocks);
    json_decref(making.backtrace);
    json_decref(making.waits);
    threads_free(&making.threads);
    heap_view_close(&making.heap);
    procmaps_free(&making.maps);
    return report;
}
