// The crash report as text, for people.
#include "base/json.h"
#include "report/crash_report.h"
#include "report/frame_text.h"
#include "report/heap_state.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OTHER_THREADS_EVENTS = 8, WIDTH = 118, THREADS_NAMED = 6 };

static const char* text_of(const json_t* object, const char* key) {
    return json_get_text_or(object, key, "");
}

static bool has(const json_t* object, const char* key) {
    const json_t* value = json_object_get(object, key);
    return value != NULL && !json_is_null(value);
}

// Text that may be long; further lines are indented by `indent`. The cursor is at column `at`.
static void print_wrapped(const char* text, int at, int indent, FILE* out) {
    while (*text != '\0') {
        int word = (int)strcspn(text, " \n");
        if (at > indent && at + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", word, text);
        at += word;
        text += word;
        text += *text != '\0';
    }
    fputc('\n', out);
}

static void print_list(const json_t* list, FILE* out) {
    size_t i;
    json_t* line;
    json_array_foreach(list, i, line) {
        if (!json_is_string(line)) continue;  // the report is damaged
        fputs("  - ", out);
        print_wrapped(json_string_value(line), 4, 4, out);
    }
}

static void print_verdict(const json_t* report, FILE* out) {
    const json_t* verdict = json_object_get(report, "verdict");
    char line[2048];
    const char* where = text_of(verdict, "where");
    snprintf(line, sizeof line, "%s%s%s (at fault: %s; confidence: %s)", text_of(verdict, "cause"),
             where[0] != '\0' ? "; " : "", where, text_of(verdict, "culprit"), text_of(verdict, "confidence"));
    fputs("verdict: ", out);
    print_wrapped(line, 9, 9, out);
    print_list(json_object_get(verdict, "evidence"), out);
}

static void print_milliseconds(const json_t* time, FILE* out) {
    if (json_is_real(time))
        fprintf(out, "%+12.3f ms  ", 1e3 * json_real_value(time));
    else
        fprintf(out, "%12s     ", "?");
}

static void print_story(const json_t* report, FILE* out) {
    const json_t* story = json_object_get(report, "story");
    if (!json_is_object(story)) return;
    bool crash = strcmp(text_of(report, "reason"), "crash") == 0;
    fprintf(out, "\nwhat happened (times relative to %s):\n", crash ? "the crash" : "this report");
    size_t i;
    json_t* step;
    json_array_foreach(json_object_get(story, "steps"), i, step) {
        fprintf(out, "%3zu.", i + 1);
        print_milliseconds(json_object_get(step, "time"), out);
        print_wrapped(text_of(step, "text"), 21, 21, out);
    }
    if (json_array_size(json_object_get(story, "unknown")) == 0) return;
    fputs("  not known:\n", out);
    print_list(json_object_get(story, "unknown"), out);
}

static void print_run(const json_t* report, FILE* out) {
    fprintf(out, "\nafter: %.3f s, %lld events\n", json_get_number(report, "after"), json_get_whole(report, "events"));
    if (has(report, "check"))
        fprintf(out, "check: %s, site %s\n  %s\n", text_of(report, "check"), text_of(report, "site"),
                text_of(report, "check_line"));
    if (has(report, "died_of")) fprintf(out, "died of: %s\n", text_of(report, "died_of"));
}

static void print_not_had(const json_t* report, FILE* out) {
    const json_t* list = json_object_get(report, "not_had");
    if (json_array_size(list) == 0) return;
    fprintf(out, "\nnot available:\n");
    print_list(list, out);
}

static void print_value(const json_t* value, int indent, FILE* out) {
    char text[1024];
    int used = snprintf(text, sizeof text, "%-18s %s", text_of(value, "value"), text_of(value, "points_at"));
    if (has(value, "text") && used > 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, ", text \"%s\"", text_of(value, "text"));
    fprintf(out, "%.19s", text);
    print_wrapped(text + 19, indent + 19, indent + 19, out);
}

// A thread that never used the allocator has no number in it.
static void thread_text(const json_t* object, char* out, size_t size) {
    long long number = json_get_whole(object, "thread"), os_tid = json_get_whole(object, "os_tid");
    if (number != 0)
        snprintf(out, size, "thread %lld (os thread %lld)", number, os_tid);
    else
        snprintf(out, size, "os thread %lld", os_tid);
}

static void print_signal(const json_t* report, FILE* out) {
    const json_t* signal = json_object_get(report, "signal");
    if (signal == NULL) return;
    char thread[64];
    thread_text(report, thread, sizeof thread);
    fprintf(out, "\nsignal: %s, code %lld (%s), in %s\n", text_of(signal, "name"), json_get_whole(signal, "code"),
            text_of(signal, "code_name"), thread);
    if (has(signal, "sender")) fprintf(out, "sent by: process %lld\n", json_get_whole(signal, "sender"));
    const json_t* address = json_object_get(signal, "fault_addr_is");
    if (address == NULL) return;
    fprintf(out, "fault_addr: ");
    print_value(address, 12, out);
    if (has(signal, "access")) fprintf(out, "access: %s\n", text_of(signal, "access"));
}

static void print_core(const json_t* report, FILE* out) {
    if (has(report, "address")) {
        fputs("\naddress: ", out);
        print_value(json_object_get(report, "address"), 9, out);
    }
    if (has(report, "heap_state")) heap_state_print(json_object_get(report, "heap_state"), out);
}

static void print_registers(const json_t* report, FILE* out) {
    const json_t* registers = json_object_get(report, "registers");
    if (json_array_size(registers) == 0) return;
    fprintf(out, "\nregisters:\n");
    size_t i;
    json_t* one;
    json_array_foreach(registers, i, one) {
        fprintf(out, "  %-4s ", text_of(one, "name"));
        print_value(one, 7, out);
    }
}

// Frames of a recursion that are the same as those before and after them are left out.
static void print_frames(const json_t* frames, FILE* out) {
    size_t i, left_out = 0;
    json_t* frame;
    json_array_foreach(frames, i, frame) {
        const json_t *before = i > 0 ? json_array_get(frames, i - 1) : NULL, *behind = json_array_get(frames, i + 1);
        if (json_equal(before, behind) == 1 && json_equal(before, frame) == 1) {
            left_out++;
            continue;
        }
        if (left_out > 0) fprintf(out, "       %zu more frames like this\n", left_out);
        left_out = 0;
        frame_print(i, frame, out);
    }
}

static void print_backtrace(const json_t* holder, FILE* out) {
    print_frames(json_object_get(holder, "backtrace"), out);
    if (has(holder, "backtrace_problem"))
        fprintf(out, "  the backtrace ends here: %s\n", text_of(holder, "backtrace_problem"));
}

// The first thread that is at the same place and waits for the same.
static size_t first_like(const json_t* threads, size_t index) {
    static const char* const same[] = {"backtrace", "waits_for", "backtrace_problem"};
    const json_t* thread = json_array_get(threads, index);
    for (size_t i = 0; i < index; i++) {
        bool alike = true;
        for (size_t j = 0; j < sizeof same / sizeof same[0]; j++) {
            const json_t* a = json_object_get(thread, same[j]);
            const json_t* b = json_object_get(json_array_get(threads, i), same[j]);
            alike = alike && (a == b || json_equal(a, b) == 1);
        }
        if (alike) return i;
    }
    return index;
}

static void print_wait(const json_t* wait, FILE* out) {
    if (wait == NULL) return;
    const char* name = text_of(wait, "name");
    fprintf(out, "  waits for %s%s%s%s at %s", name[0] != '\0' ? "the allocator's " : "the ", text_of(wait, "what"),
            name[0] != '\0' ? " " : "", name, text_of(wait, "address"));
    if (has(wait, "holder")) fprintf(out, ", held by os thread %lld", json_get_whole(wait, "holder"));
    fputc('\n', out);
}

// Threads at the same place are shown once.
static void print_group(const json_t* threads, size_t first, FILE* out) {
    const json_t* thread = json_array_get(threads, first);
    char name[64], all[THREADS_NAMED * 100];
    size_t alike = 0, used = 0;
    for (size_t i = first; i < json_array_size(threads); i++) {
        const json_t* other = json_array_get(threads, i);
        if (i != first && first_like(threads, i) != first) continue;
        if (alike++ >= THREADS_NAMED) continue;
        thread_text(other, name, sizeof name);
        const char* given = text_of(other, "name");
        int more = snprintf(all + used, sizeof all - used, "%s%s%s%.20s", alike > 1 ? ", " : "", name,
                            given[0] != '\0' ? " " : "", given);
        if (more > 0) used += (size_t)more;
    }
    if (alike > THREADS_NAMED)
        snprintf(all + used, sizeof all - used, " and %zu more:", alike - THREADS_NAMED);
    else
        snprintf(all + used, sizeof all - used, ":");
    fputs("\nbacktrace of", out);
    print_wrapped(all, 12, 2, out);
    print_wait(json_object_get(thread, "waits_for"), out);
    print_backtrace(thread, out);
}

static void print_threads(const json_t* report, FILE* out) {
    if (has(report, "backtrace")) {
        fprintf(out, "\nbacktrace (* is the allocator's code):\n");
        print_backtrace(report, out);
    }
    const json_t* threads = json_object_get(report, "threads");
    for (size_t i = 0; i < json_array_size(threads); i++) {
        if (first_like(threads, i) == i) print_group(threads, i, out);
    }
}

// The allocator's locks that were held in a living process.
static void print_waits(const json_t* report, FILE* out) {
    size_t i, j;
    json_t *lock, *waiter;
    const json_t* waits = json_object_get(report, "waits");
    if (waits == NULL) return;
    const json_t* held = json_object_get(waits, "held");
    fprintf(out, "\nlocks of the allocator: %lld, held: %zu\n", json_get_whole(waits, "locks"), json_array_size(held));
    json_array_foreach(held, i, lock) {
        fprintf(out, "  \"%s\" ", text_of(lock, "name"));
        if (has(lock, "holder"))
            fprintf(out, "held by os thread %lld", json_get_whole(lock, "holder"));
        else
            fprintf(out, "held by a thread that is not here");
        json_array_foreach(json_object_get(lock, "waiters"), j, waiter)
            fprintf(out, "%s %lld", j == 0 ? "; waiting: os thread" : ",", (long long)json_integer_value(waiter));
        fputc('\n', out);
    }
}

static void print_who(const json_t* event, FILE* out) {
    char number[24] = "?", who[64];
    if (json_get_whole(event, "thread") != 0) snprintf(number, sizeof number, "%lld", json_get_whole(event, "thread"));
    if (json_get_whole(event, "os_tid") == 0)
        snprintf(who, sizeof who, "thread %s (ended)", number);
    else
        snprintf(who, sizeof who, "thread %s (os %lld%s)", number, json_get_whole(event, "os_tid"),
                 json_get_bool(event, "ended") ? ", ended" : "");
    fprintf(out, "%-29s ", who);
}

static void print_who_did(const json_t* act, FILE* out) {
    if (json_get_whole(act, "thread") == 0) {
        fprintf(out, "an ending thread");
        return;
    }
    fprintf(out, "thread %lld", json_get_whole(act, "thread"));
    if (json_get_whole(act, "os_tid") != 0) fprintf(out, " (os thread %lld)", json_get_whole(act, "os_tid"));
}

static void print_event(const json_t* event, bool with_thread, FILE* out) {
    fprintf(out, "  %+14.3f us  ", json_get_number(event, "time") * 1e6);
    if (with_thread) print_who(event, out);
    fprintf(out, "%-13s %-14s  %s\n", text_of(event, "event"), text_of(event, "ptr"), text_of(event, "text"));
}

static void print_events(const json_t* history, FILE* out) {
    size_t i;
    json_t* event;
    json_array_foreach(json_object_get(history, "events"), i, event) print_event(event, true, out);
    if (has(history, "complete_since"))
        fprintf(out, "  (complete only from %+.3f us on)\n", 1e6 * json_get_number(history, "complete_since"));
}

static void print_act(const json_t* act, const char* what, FILE* out) {
    if (!json_is_object(act)) return;
    fprintf(out, "  %s by ", what);
    print_who_did(act, out);
    fprintf(out, ", %+.3f us\n", 1e6 * json_get_number(act, "time"));
    print_frames(json_object_get(act, "at"), out);
}

static void print_blocks(const json_t* report, FILE* out) {
    size_t i;
    json_t* block;
    json_array_foreach(json_object_get(report, "blocks"), i, block) {
        fprintf(out, "\nblock %s (%s), as guard mode recorded it: %lld bytes from %s, %s\n", text_of(block, "address"),
                text_of(block, "of"), json_get_whole(block, "size"), text_of(block, "family"), text_of(block, "state"));
        print_act(json_object_get(block, "allocated"), "allocated", out);
        print_act(json_object_get(block, "freed"), "freed", out);
    }
}

static void print_histories(const json_t* report, FILE* out) {
    size_t i;
    json_t* history;
    json_array_foreach(json_object_get(report, "histories"), i, history) {
        fprintf(out, "\nhistory of block %s (%s), as far as the rings know it:\n", text_of(history, "address"),
                text_of(history, "of"));
        print_events(history, out);
    }
    json_array_foreach(json_object_get(report, "slab_histories"), i, history) {
        fprintf(out, "\nhistory of slab %lld (%s), as far as the rings know it:\n", json_get_whole(history, "slab"),
                text_of(history, "of"));
        if (has(history, "place")) {
            fputs("  at the end: ", out);
            print_wrapped(text_of(json_object_get(history, "place"), "text"), 14, 14, out);
        }
        print_events(history, out);
    }
}

static void print_tail(const json_t* tail, size_t most, FILE* out) {
    const json_t* events = json_object_get(tail, "events");
    size_t count = json_array_size(events), first = count > most ? count - most : 0;
    fprintf(out, "\nring of thread %lld (os thread %lld), last %zu of %lld events:\n", json_get_whole(tail, "thread"),
            json_get_whole(tail, "os_tid"), count - first, json_get_whole(tail, "written"));
    for (size_t i = first; i < count; i++) print_event(json_array_get(events, i), false, out);
}

// All of the crashed thread's ring, less of those of other living threads. Those of ended threads are in the JSON.
static void print_rings(const json_t* report, FILE* out) {
    size_t i, ended = 0;
    json_t* tail;
    long long crashed = json_get_whole(report, "os_tid");
    json_array_foreach(json_object_get(report, "rings"), i, tail) {
        if (!json_get_bool(tail, "alive"))
            ended++;
        else
            print_tail(tail, json_get_whole(tail, "os_tid") == crashed ? SIZE_MAX : OTHER_THREADS_EVENTS, out);
    }
    if (ended > 0) fprintf(out, "\nrings of %zu ended threads: in the JSON file\n", ended);
}

// The values that are not zero, three per line.
static void print_figures(const json_t* figures, FILE* out) {
    const char* name;
    json_t* value;
    int column = 0;
    json_object_foreach((json_t*)(uintptr_t)figures, name, value) {
        if (!json_is_integer(value) || json_integer_value(value) == 0) continue;
        fprintf(out, "%s%-22s %12lld", column == 0 ? "  " : "   ", name, (long long)json_integer_value(value));
        column = (column + 1) % 3;
        if (column == 0) fputc('\n', out);
    }
    if (column != 0) fputc('\n', out);
}

static void print_counters(const json_t* report, FILE* out) {
    const json_t* counters = json_object_get(report, "counters");
    fprintf(out, "\ncounters that are not zero (as last written, about once a second):\n");
    if (json_is_object(counters)) {
        print_figures(counters, out);
        print_figures(json_object_get(counters, "counters"), out);
    } else {
        fprintf(out, "  none: the process was just writing them, or never wrote them\n");
    }
    fprintf(out, "\ndrains of other threads' slabs, by site (up to the end):\n");
    print_figures(json_object_get(report, "foreign_drains"), out);
}

static void print_words(FILE* out) {
    fprintf(
        out,
        "\nThread numbers are the allocator's; a new thread may get the number of one that ended. A slab is 64 KiB\n"
        "of blocks of one size, a SuperSlab has 32 slabs. The owner of a slab is the one thread that may use its\n"
        "free list. Other threads that free its blocks push them onto its remote stack, which the owner drains.\n");
}

void crash_report_print(const json_t* report, FILE* out) {
    fprintf(out, "%s\n", text_of(report, "headline"));
    print_verdict(report, out);
    print_story(report, out);
    print_words(out);
    print_run(report, out);
    print_signal(report, out);
    print_not_had(report, out);
    print_threads(report, out);
    print_waits(report, out);
    print_core(report, out);
    print_registers(report, out);
    print_blocks(report, out);
    print_histories(report, out);
    print_rings(report, out);
    print_counters(report, out);
    if (text_of(report, "messages")[0] != '\0')
        fprintf(out, "\nlast messages of the process:\n%s", text_of(report, "messages"));
    fprintf(out, "\nto run it again: %s\n", text_of(report, "again"));
}
