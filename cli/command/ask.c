// hakstress set, trim, check: what a process that has the library is asked to do while it runs.
#include "args/args.h"
#include "args/variables.h"
#include "base/error.h"
#include "command/commands.h"
#include "config/options.h"
#include "process/live_request.h"
#include "results/results.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "HAKMEM_"

static const struct option_spec ask_options[] = {
    {"wait", "SECONDS", NULL, "5", "how long to wait for an answer, 1 to 3600"},
    {.name = NULL},
};

#define WHEN_IT_ANSWERS                                                                                            \
    "A thread of the process looks when it next needs memory: a bin is empty, a block is large. A process that\n"  \
    "allocates nothing new does not answer; then nothing is done, and the exit status is 3. The process must be\n" \
    "yours, or you root: docs/LIVE.md.\n"

// --- asking

// False after a message; *status is how to end.
static bool open_operand(const struct args* args, struct live_process* process, int* status) {
    char words[LIVE_PROBLEM_BYTES];
    uint64_t number;
    *status = STATUS_USAGE;
    if (args->operand_count < 1 || args->rest_count > 0) {
        usage_error("name a process; usage: hakstress %s %s", args->command->name, args->command->synopsis);
        return false;
    }
    if (!args_operand_whole(args, 0, "PID", 1, INT32_MAX, 0, &number)) return false;
    enum live_state state = live_process_open(process, (pid_t)number);
    if (state == LIVE_OPEN) return true;
    live_problem(state, (pid_t)number, words, sizeof words);
    *status = missing_error("%s", words);
    return false;
}

static bool has_ended(pid_t pid) {
    struct live_process process;
    const enum live_state state = live_process_open(&process, pid);
    live_process_close(&process);
    return state == LIVE_GONE;
}

// Why a request could not be written, or its answer not be read.
static int cannot_ask(const struct args* args, HakRequestKind kind, pid_t pid) {
    if (!has_ended(pid)) return missing_error("the memory of process %d may not be written", (int)pid);
    if (kind != REQUEST_CHECK) return missing_error("process %d has ended", (int)pid);
    fprintf(result_stream(args),
            "process %d has ended; a damaged list of free blocks ends a process that is checked: see its stderr\n",
            (int)pid);
    return STATUS_FAULT;
}

static int ask(const struct args* args, const struct live_process* process, HakRequestKind kind, const char* text,
               struct request_answer* out) {
    uint64_t wait;
    int pid = (int)process->memory.pid;
    if (!args_number(args, "wait", 1, 3600, &wait)) return STATUS_USAGE;
    switch (live_request(process, kind, text, (double)wait, out)) {
    case REQUEST_DONE: break;
    case REQUEST_SILENT:
        return missing_error("process %d has not answered within %" PRIu64 " s: none of its threads needed new memory "
                             "(or it is stopped); nothing was done; give it work, or wait longer with --wait",
                             pid, wait);
    case REQUEST_RUNNING: return missing_error("process %d has begun, and is not done yet", pid);
    case REQUEST_REFUSED: return cannot_ask(args, kind, pid);
    }
    if (out->error != 0) return missing_error("process %d refused: %s", pid, strerror((int)out->error));
    return STATUS_OK;
}

// To --json. Takes the result.
static int keep(const struct args* args, const struct live_process* process, json_t* result, int status) {
    json_object_set_new(result, "pid", json_integer(process->memory.pid));
    const bool saved = result_save_copy(args, result);
    json_decref(result);
    return saved ? status : STATUS_MISSING;
}

// --- set

enum { WORDS_MOST = REQUEST_TEXT };

static void name_live_options(char* out, size_t size) {
    size_t length = 0;
    for (unsigned i = 0; hak_option_info(i) != NULL && length < size; i++)
        if (hak_option_info(i)->live)
            length += (size_t)snprintf(out + length, size - length, "%s%s", length > 0 ? ", " : "",
                                       hak_option_info(i)->name + sizeof PREFIX - 1);
}

// "reserve=0" becomes "HAKMEM_RESERVE=0". False after a message.
static bool complete(const char* typed, char out[WORDS_MOST]) {
    size_t name = strcspn(typed, "=");
    const char* prefix = strncmp(typed, PREFIX, sizeof PREFIX - 1) == 0 ? "" : PREFIX;
    if (typed[name] == '\0' || name == 0) {
        usage_error("'%s' is not OPTION=VALUE", typed);
        return false;
    }
    if ((size_t)snprintf(out, WORDS_MOST, "%s%s", prefix, typed) >= WORDS_MOST) {
        usage_error("'%s' is too long", typed);
        return false;
    }
    for (char* c = out; *c != '='; c++) *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return true;
}

static bool may_change(const char* setting, bool checked_library) {
    char name[WORDS_MOST];
    size_t length = strcspn(setting, "=");
    snprintf(name, sizeof name, "%.*s", (int)length, setting);
    if (!variable_check("", name, setting + length + 1)) return false;
    const HakOptionInfo* info = hak_option_named(name, length);
    if (setting[length + 1] == '\0') {
        usage_error("%s has no value", name);
        return false;
    }
    if (!info->live) {
        char words[512];
        name_live_options(words, sizeof words);
        usage_error("%s cannot change while a process runs; these can: %s", name, words);
        return false;
    }
    if (info->checked_only && !checked_library) {
        usage_error("%s does nothing there: only libhakmem-checked.so has it", name);
        return false;
    }
    return true;
}

static int set_all(const struct args* args, const struct live_process* process) {
    char setting[WORDS_MOST];
    struct request_answer answer;
    for (int i = 1; i < args->operand_count; i++)
        if (!complete(args->operands[i], setting) || !may_change(setting, process->live.checked != 0))
            return STATUS_USAGE;
    json_t *result = result_new(args, "set"), *done = json_array();
    int status = STATUS_OK;
    json_object_set_new(result, "changed", done);
    for (int i = 1; i < args->operand_count && status == STATUS_OK; i++) {
        complete(args->operands[i], setting);
        status = ask(args, process, REQUEST_SET, setting, &answer);
        if (status != STATUS_OK) continue;
        fprintf(result_stream(args), "process %d: %s\n", (int)process->memory.pid, setting);
        json_array_append_new(done, json_string(setting));
    }
    return keep(args, process, result, status);
}

static int set_run(const struct args* args) {
    struct live_process process;
    int status;
    if (args->operand_count == 1) return usage_error("name an option; usage: hakstress set PID OPTION=VALUE...");
    if (!open_operand(args, &process, &status)) return status;
    status = set_all(args, &process);
    live_process_close(&process);
    return status;
}

// --- trim, check

static int trim_there(const struct args* args, const struct live_process* process) {
    static Census before, after;
    struct request_answer answer;
    bool known = live_process_census(process, &before);
    int status = ask(args, process, REQUEST_TRIM, "", &answer);
    if (status != STATUS_OK) return status;
    known = known && live_process_census(process, &after);
    json_t* result = result_new(args, "trim");
    FILE* out = result_stream(args);
    fprintf(out, "process %d: trimmed", (int)process->memory.pid);
    if (known) {
        fprintf(out, "; %.1f MiB in memory before, %.1f MiB after", (double)before.resident / (1 << 20),
                (double)after.resident / (1 << 20));
        json_object_set_new(result, "rss_before", json_integer((json_int_t)before.resident));
        json_object_set_new(result, "rss_after", json_integer((json_int_t)after.resident));
    }
    fputc('\n', out);
    return keep(args, process, result, STATUS_OK);
}

static int check_there(const struct args* args, const struct live_process* process) {
    struct request_answer answer;
    int status = ask(args, process, REQUEST_CHECK, "", &answer), pid = (int)process->memory.pid;
    if (status != STATUS_OK) return status;
    if (answer.value == 0)
        fprintf(result_stream(args),
                "process %d: no fault was found in what the thread that answered owns, and in what all threads share\n",
                pid);
    else
        fprintf(result_stream(args),
                "process %d: %" PRIu64 " invariants of the heap do not hold; its stderr names them\n", pid,
                answer.value);
    json_t* result = result_new(args, "check");
    json_object_set_new(result, "wrong", json_integer((json_int_t)answer.value));
    return keep(args, process, result, answer.value == 0 ? STATUS_OK : STATUS_FAULT);
}

static int one_run(const struct args* args, int (*there)(const struct args* args, const struct live_process* process)) {
    struct live_process process;
    int status;
    if (args->operand_count > 1) return usage_error("one process only; usage: hakstress %s PID", args->command->name);
    if (!open_operand(args, &process, &status)) return status;
    status = there(args, &process);
    live_process_close(&process);
    return status;
}

static int trim_run(const struct args* args) {
    return one_run(args, trim_there);
}

static int check_run(const struct args* args) {
    return one_run(args, check_there);
}

const struct command command_set = {
    .name = "set",
    .synopsis = "PID OPTION=VALUE...",
    .summary = "change options of a running process that has libhakmem",
    .options = ask_options,
    .notes = WHEN_IT_ANSWERS,
    .examples = "hakstress set 1234 reserve=64M purge_ms=1000\n"
                "hakstress set $(pidof redis-server) stats_interval=60\n",
    .run = set_run,
};

const struct command command_trim = {
    .name = "trim",
    .synopsis = "PID",
    .summary = "have a running process that has libhakmem give its free memory back, as malloc_trim does",
    .options = ask_options,
    .notes = WHEN_IT_ANSWERS,
    .examples = "hakstress trim $(pidof redis-server)\n",
    .run = trim_run,
};

const struct command command_check = {
    .name = "check",
    .synopsis = "PID",
    .summary = "have a running process that has libhakmem check its heap, as hak_check does",
    .options = ask_options,
    .notes = WHEN_IT_ANSWERS
    "\n"
    "Checked are the slabs and caches of the thread that answers, and what all threads share; not\n"
    "those of other threads. The exit status is 1 if an invariant does not hold; the process names\n"
    "it on its stderr. A damaged list of free blocks ends the process, as hak_check does.\n",
    .examples = "hakstress check 1234 --wait 60\n",
    .run = check_run,
};
