// The crash report as text, for people.
#include "report/crash_report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OTHER_THREADS_EVENTS = 8 };

static const char* text_of(const json_t* object, const char* key) {
    const char* text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static long long number_of(const json_t* object, const char* key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_verdict(const json_t* report, FILE* out) {
    const json_t* verdict = json_object_get(report, "verdict");
    fprintf(out, "verdict: %s (confidence: %s)\n", text_of(verdict, "cause"), text_of(verdict, "confidence"));
    size_t i;
    json_t* line;
    json_array_foreach(json_object_get(verdict, "evidence"), i, line) fprintf(out, "  - %s\n", json_string_value(line));
}

static void print_run(const json_t* report, FILE* out) {
    fprintf(out, "\nrun: %s\nafter: %.3f s, %lld events\n", text_of(report, "again"),
            json_real_value(json_object_get(report, "after")), number_of(report, "events"));
    if (json_object_get(report, "check") != NULL)
        fprintf(out, "check: %s, site %s\n", text_of(report, "check"), text_of(report, "site"));
    if (json_object_get(report, "died_of") != NULL)
        fprintf(out, "died of: %s; registers and stack are lost, rings and counters are not\n",
                text_of(report, "died_of"));
}

static void print_value(const json_t* value, FILE* out) {
    fprintf(out, "%-18s %s", text_of(value, "value"), text_of(value, "points_at"));
    if (json_object_get(value, "text") != NULL) fprintf(out, ", text \"%s\"", text_of(value, "text"));
    fputc('\n', out);
}

static void print_signal(const json_t* report, FILE* out) {
    const json_t* signal = json_object_get(report, "signal");
    if (signal == NULL) return;
    fprintf(out, "\nsignal: %s, code %lld (%s), in thread %lld (os thread %lld)\n", text_of(signal, "name"),
            number_of(signal, "code"), text_of(signal, "code_name"), number_of(report, "thread"),
            number_of(report, "os_tid"));
    if (json_object_get(signal, "sender") != NULL) fprintf(out, "sent by: process %lld\n", number_of(signal, "sender"));
    const json_t* address = json_object_get(signal, "fault_addr_is");
    if (address == NULL) return;
    fprintf(out, "fault_addr: ");
    print_value(address, out);
    if (text_of(signal, "access")[0] != '\0') fprintf(out, "access: %s\n", text_of(signal, "access"));
}

static void print_registers(const json_t* report, FILE* out) {
    const json_t* registers = json_object_get(report, "registers");
    if (json_array_size(registers) == 0) return;
    fprintf(out, "\nregisters:\n");
    size_t i;
    json_t* one;
    json_array_foreach(registers, i, one) {
        fprintf(out, "  %-4s ", text_of(one, "name"));
        print_value(one, out);
    }
}

static const char* file_name(const char* path) {
    const char* slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void print_backtrace(const json_t* holder, FILE* out) {
    size_t i;
    json_t* frame;
    json_array_foreach(json_object_get(holder, "backtrace"), i, frame) {
        fprintf(out, "  #%-2zu %-18s ", i, text_of(frame, "pc"));
        if (json_object_get(frame, "symbol") == NULL)
            fprintf(out, "?");
        else
            fprintf(out, "%s+0x%llx", text_of(frame, "symbol"), (unsigned long long)number_of(frame, "offset"));
        if (json_object_get(frame, "module") != NULL)
            fprintf(out, "  (%s+%s)", file_name(text_of(frame, "module")), text_of(frame, "module_offset"));
        fputc('\n', out);
    }
    if (json_object_get(holder, "backtrace_problem") != NULL)
        fprintf(out, "  the backtrace ends here: %s\n", text_of(holder, "backtrace_problem"));
}

static void print_threads(const json_t* report, FILE* out) {
    if (json_object_get(report, "backtrace") != NULL) {
        fprintf(out, "\nbacktrace:\n");
        print_backtrace(report, out);
    }
    size_t i;
    json_t* thread;
    json_array_foreach(json_object_get(report, "threads"), i, thread) {
        fprintf(out, "\nbacktrace of thread %lld (os thread %lld):\n", number_of(thread, "thread"),
                number_of(thread, "os_tid"));
        print_backtrace(thread, out);
    }
}

static void print_who(long long os_tid, FILE* out) {
    if (os_tid == 0)
        fprintf(out, "%-19s", "ended thread");
    else
        fprintf(out, "os thread %-9lld ", os_tid);
}

static void print_event(const json_t* event, FILE* out) {
    double time = json_real_value(json_object_get(event, "time"));
    fprintf(out, "  %+14.3f us  ", time * 1e6);
    if (json_object_get(event, "os_tid") != NULL) print_who(number_of(event, "os_tid"), out);
    fprintf(out, "%-12s %-16s %s", text_of(event, "event"), text_of(event, "ptr"), text_of(event, "text"));
    if (json_object_get(event, "site") != NULL) fprintf(out, ", site %lld", number_of(event, "site"));
    fputc('\n', out);
}

static void print_histories(const json_t* report, FILE* out) {
    size_t i, j;
    json_t *history, *event;
    json_array_foreach(json_object_get(report, "histories"), i, history) {
        fprintf(out, "\nblock %s (%s), what the rings still know of it:\n", text_of(history, "address"),
                text_of(history, "of"));
        json_array_foreach(json_object_get(history, "events"), j, event) print_event(event, out);
    }
}

static void print_tail(const json_t* tail, size_t most, FILE* out) {
    const json_t* events = json_object_get(tail, "events");
    size_t count = json_array_size(events), first = count > most ? count - most : 0;
    fprintf(out, "\nring of thread %lld (os thread %lld), last %zu of %lld events:\n", number_of(tail, "thread"),
            number_of(tail, "os_tid"), count - first, number_of(tail, "written"));
    for (size_t i = first; i < count; i++) print_event(json_array_get(events, i), out);
}

// All of the crashed thread's tail, less of the other living threads; those of ended threads are in the JSON.
static void print_rings(const json_t* report, FILE* out) {
    size_t i, ended = 0;
    json_t* tail;
    long long crashed = number_of(report, "os_tid");
    json_array_foreach(json_object_get(report, "rings"), i, tail) {
        if (!json_is_true(json_object_get(tail, "alive")))
            ended++;
        else
            print_tail(tail, number_of(tail, "os_tid") == crashed ? SIZE_MAX : OTHER_THREADS_EVENTS, out);
    }
    if (ended > 0) fprintf(out, "\nrings of %zu ended threads: in the JSON file\n", ended);
}

static void print_counters(const json_t* report, FILE* out) {
    const json_t* counters = json_object_get(report, "counters");
    fprintf(out, "\ncounters (written down about once a second; these are the last):\n");
    if (json_is_null(counters) || counters == NULL) {
        fprintf(out, "  none: the process was writing them, or never did\n");
        return;
    }
    char* text = json_dumps(counters, JSON_INDENT(2));
    if (text == NULL) return;
    fprintf(out, "%s\n", text);
    free(text);
}

void crash_report_print(const json_t* report, FILE* out) {
    print_verdict(report, out);
    print_run(report, out);
    print_signal(report, out);
    print_threads(report, out);
    print_registers(report, out);
    print_histories(report, out);
    print_rings(report, out);
    print_counters(report, out);
    if (json_object_get(report, "maps_problem") != NULL)
        fprintf(out, "\nmemory map: %s\n", text_of(report, "maps_problem"));
    if (text_of(report, "messages")[0] != '\0')
        fprintf(out, "\nlast messages of the process:\n%s", text_of(report, "messages"));
}
