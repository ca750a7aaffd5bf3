// hakstress report: prints a saved crash report again, or explains a log.
#include "args/args.h"
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "command/commands.h"
#include "leaks/leak_places.h"
#include "leaks/leak_text.h"
#include "leaks/wrappers.h"
#include "report/core_file.h"
#include "report/crash_report.h"
#include "report/fault_log.h"
#include "report/late_names.h"
#include "results/results.h"
#include "supervise/core_report.h"
#include "workload/trace_file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A report has two files beside each other; the JSON file is read.
static void json_beside(const char* path, char* out, size_t size) {
    size_t length = strlen(path);
    bool is_text = path_has_suffix(path, ".txt");
    snprintf(out, size, "%.*s%s", (int)(is_text ? length - 4 : length), path, is_text ? ".json" : "");
}

// A result file contains the report of its fault.
static json_t* report_within(json_t* file) {
    const char* kind = json_get_text(file, "kind");
    if (kind != NULL && strcmp(kind, "crash_report") == 0) return file;
    json_t* fault = json_object_get(file, "fault");
    return json_is_object(fault) ? fault : NULL;
}

// To stdout as text, and where --json wants it.
static int show(const struct args* args, const json_t* report, void (*print)(const json_t* report, FILE* out)) {
    const char* copy = args_text(args, "json");
    bool to_stdout = copy != NULL && strcmp(copy, "-") == 0;
    if (copy != NULL && !to_stdout && json_dump_file(report, copy, JSON_INDENT(1)) != 0)
        return missing_error("cannot write %s: %s", copy, strerror(errno));
    if (to_stdout) {
        json_dumpf(report, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        print(report, stdout);
    }
    return STATUS_OK;
}

static void print_leaks(const json_t* leaks, FILE* out) {
    leak_text_print(leaks, false, out);
}

// A crash, and what the run's other processes had lost.
static void print_both(const json_t* report, FILE* out) {
    crash_report_print(report, out);
    fputc('\n', out);
    print_leaks(json_object_get(report, "leaks"), out);
}

// A result of `hakstress run --leaks`. Places that had no name then may have one here.
static void name_leaks(const struct args* args, json_t* leaks) {
    leak_places_find(leaks, args_text(args, "symbols"), true);
    wrappers_find(leaks, args_text(args, "leaks-wrappers"));
}

static int explain(const struct args* args, const char* path, json_t* file) {
    json_t* report = report_within(file);
    json_t* leaks = json_object_get(file, "leaks");
    if (json_is_object(leaks)) name_leaks(args, leaks);
    if (report == NULL && json_is_object(leaks)) return show(args, leaks, print_leaks);
    if (report == NULL)
        return usage_error("%s contains no crash report; the names of reports end in .crash.txt or .crash.json", path);
    json_int_t schema = json_get_whole(report, "schema");
    if (schema != CRASH_REPORT_SCHEMA)
        return usage_error("%s has schema %lld; this hakstress reads schema %d", path, (long long)schema,
                           CRASH_REPORT_SCHEMA);
    late_names_find(report, &(struct module_search){args_text(args, "symbols"), true});
    if (!json_is_object(leaks)) return show(args, report, crash_report_print);
    json_object_set(report, "leaks", leaks);
    return show(args, report, print_both);
}

static int cannot_read(const char* given, const char* json, int error) {
    if (strcmp(given, json) == 0 || access(given, R_OK) != 0)
        return usage_error("cannot read %s: %s", given, strerror(error));
    return usage_error("%s is plain text: read it as it is; to explain it, hakstress needs %s beside it: %s", given,
                       json, strerror(error));
}

// A log of stderr with what the library told of sampled blocks. *status: what came of it. false: it has none.
static bool explain_log(const struct args* args, FILE* log, int* status) {
    json_t* faults = fault_log_read(log);
    bool some = json_array_size(json_object_get(faults, "faults")) > 0;
    if (some) *status = show(args, faults, fault_log_print);
    json_decref(faults);
    return some;
}

static bool explain_log_file(const struct args* args, const char* path, int* status) {
    FILE* log = fopen(path, "re");
    if (log == NULL) return false;
    bool some = explain_log(args, log, status);
    fclose(log);
    return some;
}

static bool is_trace(const char* path) {
    char start[sizeof TRACE_MAGIC - 1];
    FILE* file = fopen(path, "re");
    bool is = file != NULL && fread(start, 1, sizeof start, file) == sizeof start &&
              memcmp(start, TRACE_MAGIC, sizeof start) == 0;
    if (file != NULL) fclose(file);
    return is;
}

// A file of JSON that cannot be read is damaged; others never were a report.
static int neither(const char* path, const json_error_t* error) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return usage_error("%s is a folder; name a crash report or a log in it", path);
    if (is_trace(path))
        return usage_error("%s is a trace of allocations, not a report; to replay it: hakstress bench trace:%s", path,
                           path);
    if (path_has_suffix(path, ".json"))
        return usage_error("%s is damaged: line %d: %s", path, error->line, error->text);
    return usage_error("%s is neither a crash report nor a log with faults: no line of it has \"hakmem: check=\"",
                       path);
}

static int explain_stdin(const struct args* args) {
    int status;
    if (explain_log(args, stdin, &status)) return status;
    return usage_error("stdin has no line of a fault, as \"hakmem: check=...\"");
}

static int explain_core(const struct args* args, const char* path) {
    const char *problem = NULL, *program = args_text(args, "exe"), *text = args_text(args, "address");
    char* end = NULL;
    uint64_t address = text != NULL ? strtoull(text, &end, 0) : 0;
    if (text != NULL && (end == text || *end != '\0' || address == 0))
        return usage_error("--address takes a number, as 0x7f0012345678, not '%s'", text);
    if (program != NULL && access(program, R_OK) != 0)
        return usage_error("cannot read %s: %s", program, strerror(errno));
    json_t* report = core_report(path, program, address, &problem);
    if (report == NULL) return usage_error("cannot explain %s: %s", path, problem);
    int status = show(args, report, crash_report_print);
    json_decref(report);
    return status;
}

static int report_run(const struct args* args) {
    if (args->operand_count == 0)
        return usage_error("name a report; usage: hakstress report FILE, with a FILE from results/, or a log");
    if (!args_operands_at_most(args, 1)) return STATUS_USAGE;
    if (strcmp(args->operands[0], "-") == 0) return explain_stdin(args);
    int status;
    char path[PATH_MAX];
    if (core_file_is(args->operands[0])) return explain_core(args, args->operands[0]);
    if (args_is_set(args, "exe") || args_is_set(args, "address"))
        return usage_error("--exe and --address are for core dumps, and %s is none", args->operands[0]);
    json_beside(args->operands[0], path, sizeof path);
    if (access(path, R_OK) != 0) {
        int error = errno;
        if (explain_log_file(args, args->operands[0], &status)) return status;
        return cannot_read(args->operands[0], path, error);
    }
    json_error_t error;
    json_t* file = json_load_file(path, 0, &error);
    if (file == NULL && explain_log_file(args, path, &status)) return status;
    if (file == NULL) return neither(path, &error);
    status = explain(args, path, file);
    json_decref(file);
    return status;
}

static const struct option_spec report_options[] = {
    {"symbols", "FOLDER", NULL, NULL,
     "where programs, libraries or their debug information are, by name or as .build-id/NN/NNNN.debug"},
    {"leaks-wrappers", "LIST", "HAKSTRESS_LEAKS_WRAPPERS", NULL, "as for hakstress run"},
    {"exe", "FILE", NULL, NULL, "of a core dump: the program, if it is no longer where it was"},
    {"address", "ADDRESS", NULL, NULL, "of a core dump: say also what is at this address of the heap"},
    {.name = NULL},
};

static const char report_notes[] =
    // clang-format off
    "Crashes and leaks get names of functions and lines that were not known where they happened from the programs,\n"
    "libraries and debug information that are here, if they have the same build ids: in the folder of --symbols,\n"
    "under their old path, in /usr/lib/debug. DEBUGINFOD_URLS names servers that are asked as well.\n"
    "\n"
    "Exit status: 0 if FILE was explained, 2 if there is nothing to explain in it, as in a log without faults.\n";
// clang-format on

const struct command command_report = {
    .name = "report",
    .synopsis = "FILE|- [--symbols FOLDER]\nCORE [--exe FILE] [--address ADDRESS]",
    .summary = "explain a saved crash report, leaks, the faults in a log of a program's stderr, or a core dump",
    .options = report_options,
    .notes = report_notes,
    .examples =
        "hakstress report results/repro-20260102-030405-678.crash.txt\n"
        "hakstress report --json - results/repro-20260102-030405-678.json   # a result carries its report\n"
        "hakstress report server.log           # what each \"hakmem: check=\" means; functions and source "
        "lines of stacks\n"
        "hakstress report --symbols debug results/run-20260102-030405-678.json   # of a run on another machine\n"
        "hakstress report core --exe ./server   # stacks of all threads, the heap, and what the registers point "
        "to\n"
        "journalctl -u server | hakstress report -\n",
    .run = report_run,
};
