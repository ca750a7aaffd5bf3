#include "supervise/faults.h"

#include "base/json.h"
#include "report/crash_report.h"
#include "report/crash_save.h"
#include "report/signals.h"
#include "results/results.h"
#include "supervise/crash_copy.h"
#include "workload/workload.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_BYTES = 4096, COMMAND_WORDS = 256 };

bool process_command(pid_t process, char* out, size_t size) {
    char path[64], text[COMMAND_BYTES];
    char* words[COMMAND_WORDS];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) close(fd);
    if (bytes <= 0) return false;
    text[bytes] = '\0';
    for (char* word = text; word < text + bytes && count < COMMAND_WORDS; word += strlen(word) + 1)
        words[count++] = word;
    out[0] = '\0';
    result_quote(words, count, out, size);
    return true;
}

void faults_start(struct faults* faults) {
    faults->list = json_array();
    faults->looks = json_array();
}

void faults_free(struct faults* faults) {
    json_decref(faults->list);
    json_decref(faults->looks);
    json_decref(faults->first);
}

// The report

static void command_of(const struct faults* faults, const struct tracing_death* death, char* out, size_t size) {
    pid_t living = death->thread != 0 ? death->thread : ring_dir_living(faults->rings, death->process);
    if (living != 0 && process_command(living, out, size)) return;
    snprintf(out, size, "%s", death->process == faults->process ? faults->command : "unknown");
}

// The address of the access that a check tells of; 0: it tells of none.
static uintptr_t told_access(const struct check_message* check) {
    static const char before[] = " your program used 0x";
    const char* at = strstr(check->line, before);
    return at != NULL ? (uintptr_t)strtoull(at + sizeof before - 1, NULL, 16) : 0;
}

// Threads that fault at the same time die together, and only one of them tells. The record is made of that one. false:
// the check tells of an earlier access, which the program survived.
static bool copy_fault(CrashRecord* record, const struct tracing_death* death, const struct check_message* check) {
    const struct tracing_signal* signal = death->signal;
    uintptr_t told = check != NULL && signal->info.si_code > 0 ? told_access(check) : 0;
    pid_t thread = death->thread;
    if (told != 0 && (uintptr_t)signal->info.si_addr != told) signal = tracing_fault_at(death->process, told, &thread);
    crash_copy(record, death->thread, signal != NULL ? signal : death->signal);
    store_relaxed(&record->claimed, (uint32_t)thread);
    return signal != NULL;
}

static json_t* make_report(const struct faults* faults, const struct tracing_death* death, const char* command) {
    static CrashRecord record;
    struct ring_copy copy;
    struct check_message check;
    ring_dir_read(faults->rings, death->thread != 0 ? death->thread : death->process, &copy);
    const char* words = load_relaxed(&copy.ring->has_last_words) != 0 ? copy.ring->last_words : "";
    bool copied = death->thread != 0 && death->signal != NULL;
    bool checked = messages_find_check(words, &check);
    const CrashRecord* noted = copied ? NULL : ring_copy_crash(&copy);
    memset(&record, 0, sizeof record);
    if (noted != NULL) record = *noted;
    if (copied && !copy_fault(&record, death, checked ? &check : NULL)) checked = false;
    bool recorded = copied || noted != NULL;
    struct report_input input = {
        .reason = recorded ? REPORT_CRASH : REPORT_DEATH,
        .crash = &record,
        .ring = copy.ring,
        .child = noted != NULL ? ring_dir_living(faults->rings, death->process) : death->thread,
        .died_of = recorded ? 0 : death->number,
        .after = (recorded ? record.time : workload_clock()) - faults->began,
        .messages = words,
        .check = checked ? &check : NULL,
        .command = command,
        .process = death->process,
    };
    json_t* report = crash_report_make(&input);
    ring_copy_free(&copy);
    json_put_text(report, "again", faults->again);
    json_put_text(report, "command", command);
    json_put_whole(report, "pid", death->process);
    return report;
}

// Printing

static const char* text_or_none(const json_t* object, const char* key) {
    const char* text = json_get_text(object, key);
    return text != NULL ? text : "none";
}

// The quoted program at the start of a command line.
static int program_length(const char* command) {
    const char* quote = *command == '\'' ? strchr(command + 1, '\'') : NULL;
    return (int)(quote != NULL ? (size_t)(quote + 1 - command) : strcspn(command, " "));
}

static json_t* summary(const json_t* report, const struct tracing_death* death, const char* path) {
    const json_t* signal = json_object_get(report, "signal");
    const char* command = text_or_none(report, "command");
    json_t* line = json_format("run: fault signal=%s fault_addr=%s check=%s site=%s pid=%d command=%.*s report=%s",
                               signal_name(death->number), text_or_none(signal, "fault_addr"),
                               text_or_none(report, "check"), text_or_none(report, "site"), (int)death->process,
                               program_length(command), command, path[0] != '\0' ? path : "none");
    json_t* entry = json_object();
    json_object_set_new(entry, "line", line);
    json_put_whole(entry, "pid", death->process);
    json_put_text(entry, "signal", signal_name(death->number));
    json_object_set(entry, "command", json_object_get(report, "command"));
    json_object_set(entry, "verdict", json_object_get(report, "verdict"));
    if (path[0] != '\0') json_put_text(entry, "report", path);
    return entry;
}

void faults_add(struct faults* faults, const struct tracing_death* death) {
    char command[COMMAND_BYTES], path[PATH_MAX];
    faults->count++;
    if (faults->files == RESULT_REPORTS_MAX) return;
    command_of(faults, death, command, sizeof command);
    json_t* report = make_report(faults, death, command);
    crash_report_save(faults->args, ++faults->files, report, path, sizeof path);
    json_array_append_new(faults->list, summary(report, death, path));
    if (faults->first == NULL) faults->first = json_incref(report);
    json_decref(report);
}

static void print_entry(const json_t* entry, bool brief, FILE* out) {
    size_t i;
    json_t* evidence;
    const json_t* verdict = json_object_get(entry, "verdict");
    fprintf(out, "%s\n", text_or_none(entry, "line"));
    if (brief) return;
    const char* where = json_get_text(verdict, "where");
    fprintf(out, "verdict: %s%s%s (confidence: %s)\n", text_or_none(verdict, "cause"), where != NULL ? "; " : "",
            where != NULL ? where : "", text_or_none(verdict, "confidence"));
    json_array_foreach(json_object_get(verdict, "evidence"), i, evidence)
        fprintf(out, "  - %s\n", json_string_value(evidence));
}

void faults_print(const struct faults* faults, bool brief, FILE* out) {
    size_t i, with_report = json_array_size(faults->list);
    json_t* entry;
    json_array_foreach(faults->list, i, entry) print_entry(entry, brief, out);
    if (faults->count > with_report)
        fprintf(out, "run: %zu more processes died of a fault; only the first %d reports are written\n",
                faults->count - with_report, RESULT_REPORTS_MAX);
}

// Living processes

static json_t* look_report(const struct faults* faults, pid_t process, enum report_reason reason, const char* command) {
    static const CrashRecord none;
    struct ring_copy copy;
    ring_dir_read(faults->rings, process, &copy);
    struct report_input input = {
        .reason = reason,
        .crash = &none,
        .ring = copy.ring,
        .child = process,
        .after = workload_clock() - faults->began,
        .messages = "",
        .command = command,
        .process = process,
        .held = tracing_is_traced(process),
        .stopped = tracing_is_stopped(process),
    };
    json_t* report = crash_report_make(&input);
    ring_copy_free(&copy);
    json_put_text(report, "again", faults->again);
    json_put_text(report, "command", command);
    json_put_whole(report, "pid", process);
    return report;
}

static json_t* look_entry(const json_t* report, pid_t process, const char* path) {
    const char *command = text_or_none(report, "command"), *reason = text_or_none(report, "reason");
    json_t* entry = json_object();
    json_object_set_new(entry, "line",
                        json_format("run: look reason=%s pid=%d threads=%zu command=%.*s report=%s", reason,
                                    (int)process, json_array_size(json_object_get(report, "threads")),
                                    program_length(command), command, path[0] != '\0' ? path : "none"));
    json_put_text(entry, "reason", reason);
    json_put_whole(entry, "pid", process);
    json_object_set(entry, "command", json_object_get(report, "command"));
    json_object_set(entry, "verdict", json_object_get(report, "verdict"));
    if (path[0] != '\0') json_put_text(entry, "report", path);
    return entry;
}

void faults_look(struct faults* faults, pid_t process, enum report_reason reason, bool brief) {
    char command[COMMAND_BYTES], path[PATH_MAX];
    if (faults->files == RESULT_REPORTS_MAX) {
        fprintf(stderr, "run: no report of process %d: this run has written %d already\n", (int)process,
                RESULT_REPORTS_MAX);
        return;
    }
    command_of(faults, &(struct tracing_death){.process = process, .thread = process}, command, sizeof command);
    json_t* report = look_report(faults, process, reason, command);
    crash_report_save(faults->args, ++faults->files, report, path, sizeof path);
    json_t* entry = look_entry(report, process, path);
    print_entry(entry, brief, stderr);
    json_array_append_new(faults->looks, entry);
    json_decref(report);
}
