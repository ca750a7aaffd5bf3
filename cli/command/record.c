// hakstress record: a trace of a program's allocations, to be replayed by bench and compare.
#include "args/args.h"
#include "base/error.h"
#include "base/json.h"
#include "command/commands.h"
#include "record/collect.h"
#include "results/results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { TRACES_SHOWN = 16 };

static const struct option_spec record_options[] = {
    {"output", "FILE", NULL, NULL, "the trace file; default: the command's name with .trace, in the current directory"},
    {.name = NULL},
};

static const char record_notes[] =
    "COMMAND keeps stdin, stdout, stderr, terminal and signals. Lines of hakstress go to stderr, at the end. Each "
    "process\n"
    "that COMMAND starts gets its own trace, FILE.PID. What a process did before an exec goes to FILE.PID.N. If "
    "COMMAND\n"
    "crashes, what was recorded until then is kept. A file of the same name is replaced only if it is a trace.\n"
    "\n"
    "Exit status: COMMAND's own, 128 + N if it died of signal N, 127 if it was not found, 126 if it cannot be\n"
    "executed; 3 if there is no trace although COMMAND ended with 0.\n";

struct record {
    const struct args* args;
    char file[PATH_MAX];
    struct raw_dir dir;
    struct recorded recorded;
    struct collection traces;
};

static int read_plan(struct record* record) {
    const struct args* args = record->args;
    if (args->operand_count > 0)
        return usage_error("put -- before the command: hakstress record [OPTIONS] -- %s ...", args->operands[0]);
    if (args->rest_count == 0)
        return usage_error("name a command; usage: hakstress record %s", args->command->synopsis);
    const char* output = args_text(args, "output");
    const char* name = strrchr(args->rest[0], '/');
    name = name != NULL ? name + 1 : args->rest[0];
    if (output != NULL && *output == '\0') return usage_error("--output needs the name of a file");
    const int length = output != NULL ? snprintf(record->file, sizeof record->file, "%s", output)
                                      : snprintf(record->file, sizeof record->file, "%s.trace", name);
    if (length >= (int)sizeof record->file) return missing_error("cannot write the trace: %s", strerror(ENAMETOOLONG));
    return STATUS_OK;
}

static int own_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static double bytes_per_event(const struct trace_header* header) {
    return header->events > 0 ? (double)header->file_bytes / (double)header->events : 0;
}

static void print_trace(const struct collected* trace) {
    const struct trace_header* header = &trace->header;
    fprintf(stderr,
            "record: events=%" PRIu64 " allocations=%" PRIu64 " frees=%" PRIu64 " threads=%" PRIu32 " at_once=%" PRIu32
            " peak_live_bytes=%" PRIu64 " bytes_per_event=%.2f%s file=%s\n",
            header->events, header->allocations, header->frees, header->threads, header->lanes, header->peak_live_bytes,
            bytes_per_event(header), trace->stopped != 0 ? " cut_short" : "", trace->path);
}

static json_t* trace_to_json(const struct collected* trace) {
    const struct trace_header* header = &trace->header;
    json_t* object = json_object();
    json_put_text(object, "file", trace->path);
    json_put_count(object, "events", header->events);
    json_put_count(object, "allocations", header->allocations);
    json_put_count(object, "frees", header->frees);
    json_put_whole(object, "threads", header->threads);
    json_put_whole(object, "at_once", header->lanes);
    json_put_count(object, "peak_live_bytes", header->peak_live_bytes);
    json_put_count(object, "file_bytes", header->file_bytes);
    json_put_bool(object, "cut_short", trace->stopped != 0);
    return object;
}

static bool save_result(const struct record* record, int status) {
    json_t* command = json_array();
    json_t* traces = json_array();
    for (int i = 0; i < record->args->rest_count; i++) json_array_append_new(command, json_text(record->args->rest[i]));
    for (size_t i = 0; i < record->traces.count; i++)
        json_array_append_new(traces, trace_to_json(&record->traces.traces[i]));
    json_t* result = result_new(record->args, "record");
    json_object_set_new(result, "command", command);
    json_put_whole(result, "status", own_status(record->recorded.status));
    json_put_whole(result, "exit_status", status);
    json_object_set_new(result, "traces", traces);
    const bool saved = result_save(record->args, "record", result);
    json_decref(result);
    return saved;
}

static void print_traces(const struct record* record) {
    const size_t count = record->traces.count;
    if (args_is_set(record->args, "quiet")) return;
    for (size_t i = 0; i < count && i < TRACES_SHOWN; i++) print_trace(&record->traces.traces[i]);
    if (count > TRACES_SHOWN)
        fprintf(stderr, "record: and %zu more traces, in %s.*\n", count - TRACES_SHOWN, record->file);
}

static int conclude(struct record* record) {
    const int error = record->recorded.exec_error;
    if (error != 0) {
        fprintf(stderr, "hakstress: cannot run %s: %s\n", record->args->rest[0], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    int status = own_status(record->recorded.status);
    bool done = collect(&record->dir, record->recorded.pid, record->file, &record->traces);
    if (done && record->traces.count == 0) {
        missing_error(
            "nothing was recorded: %s allocated nothing, or did not load the recorder (static or set-user-id?)",
            record->args->rest[0]);
        done = false;
    }
    if (!done && status == STATUS_OK) status = STATUS_MISSING;
    print_traces(record);
    if (!save_result(record, status) && status == STATUS_OK) status = STATUS_MISSING;
    return status;
}

static int run(const struct args* args) {
    static struct record record;
    char path[PATH_MAX];
    record.args = args;
    int status = read_plan(&record);
    if (status != STATUS_OK) return status;
    if (!collect_can_write(record.file) || !result_path(args, "record", ".json", path, sizeof path) ||
        !raw_dir_make(&record.dir))
        return STATUS_MISSING;  // checked before the work
    status = record_command(&record.dir, args->rest, &record.recorded) ? conclude(&record) : STATUS_MISSING;
    collection_free(&record.traces);
    raw_dir_remove(&record.dir);
    return status;
}

const struct command command_record = {
    .name = "record",
    .synopsis = "[--output FILE] -- COMMAND [ARGUMENT...]",
    .summary = "record a program's allocations as a trace, to be replayed by bench trace:FILE",
    .options = record_options,
    .notes = record_notes,
    .examples = "hakstress record -- python3 script.py           # writes python3.trace\n"
                "hakstress record --output server.trace -- ./server --port 8080\n"
                "hakstress bench trace:server.trace\n",
    .run = run,
};
