// hakstress profile: which stacks allocate and hold the memory of a program, by samples.
#include "args/args.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/save_file.h"
#include "command/commands.h"
#include "heap/attach.h"
#include "heap/collapsed.h"
#include "heap/dump_read.h"
#include "heap/page.h"
#include "heap/pprof.h"
#include "heap/start.h"
#include "heap/symbols.h"
#include "heap/table.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option_spec profile_options[] = {
    {"pid", "PID", NULL, NULL, "ask a running process that has its profile on (see below)"},
    {"rate", "BYTES", NULL, "524288", "one sample for so many allocated bytes"},
    {"every", "SECONDS", NULL, NULL,
     "write moments meanwhile, so that growth is known; with --pid: ask again after so long"},
    {"order", "WHAT", NULL, "live", "live, peak, allocated or growth: what the table and --collapsed are for"},
    {"top", "N", NULL, "10", "stacks in the table"},
    {"wrapper", "NAME", NULL, NULL,
     "one more function that only passes a size on to malloc: stacks are shown from its caller; a shell pattern; may "
     "be repeated"},
    {"pprof", "FILE", NULL, NULL, "write pprof's format, gzipped: for go tool pprof and speedscope"},
    {"collapsed", "FILE", NULL, NULL, "write collapsed stacks: for flame-graph tools"},
    {"html", "FILE", NULL, NULL, "write a page: flame graph, table, search"},
    {"raw", "DIR", NULL, NULL, "keep what the processes wrote in DIR; hakstress profile DIR shows it again"},
    {.name = NULL},
};

static const char profile_notes[] =
    "COMMAND runs with libhakmem.so preloaded and HAKMEM_PROFILE=1; it keeps stdin, stdout, stderr, terminal and\n"
    "signals. The table goes to stderr, at the end. FILE is what a process with HAKMEM_PROFILE=1 wrote\n"
    "(HAKMEM_PROFILE_FILE), or a folder of such files. --pid works with your processes that have libhakmem and\n"
    "their profile on: by HAKMEM_PROFILE=1 at their start, or hakstress set PID profile=1. See docs/PROFILE.md.\n"
    "\n"
    "Exit status: COMMAND's own, 128 + N if it died of signal N, 127 if it was not found, 126 if it cannot be\n"
    "executed; 3 if there is no profile although COMMAND ended with 0. Without COMMAND: 0, 2 or 3.\n";

struct plan {
    const struct args* args;
    enum heap_order order;
    uint64_t rate, top, every_ms;
    char library[PATH_MAX];
    char folder[PATH_MAX];
    bool keeps_folder;
    struct heap_profile profile;
};

// --- the plan

static bool read_every(struct plan* plan) {
    const char* text = args_text(plan->args, "every");
    char* end;
    if (text == NULL) return true;
    double seconds = strtod(text, &end);
    plan->every_ms = seconds > 0 && seconds <= 86400 ? (uint64_t)(seconds * 1000) : 0;
    if (*end == '\0' && plan->every_ms > 0) return true;
    usage_error("--every takes seconds, 0.001 to 86400, not '%s'", text);
    return false;
}

static bool read_plan(struct plan* plan) {
    const struct args* args = plan->args;
    const char* order = args_text(args, "order");
    int sources = (args->rest_count > 0) + (args->operand_count > 0) + args_is_set(args, "pid");
    if (sources != 1) {
        usage_error("name a command behind --, files, or --pid");
        return false;
    }
    if (!heap_order_of(order, &plan->order)) {
        usage_error("--order takes live, peak, allocated or growth, not '%s'", order);
        return false;
    }
    return args_number(args, "rate", 1, UINT64_C(1) << 40, &plan->rate) &&
           args_number(args, "top", 0, 1000000, &plan->top) && read_every(plan);
}

// --- what is shown

static enum heap_order written_order;

static bool write_pprof(FILE* file, const void* what) {
    return heap_write_pprof(what, file);
}

static bool write_collapsed(FILE* file, const void* what) {
    heap_write_collapsed(what, written_order, file);
    return !ferror(file);
}

static bool write_json(FILE* file, const void* what) {
    return json_dumpf(what, file, JSON_COMPACT) == 0;
}

static bool save(const struct args* args, const char* option, save_writer writer, const void* what) {
    const char* path = args_text(args, option);
    if (path == NULL) return true;
    errno = 0;
    if (strcmp(path, "-") == 0 ? writer(stdout, what) : save_file(path, writer, what)) return true;
    missing_error("cannot write %s: %s", path, errno != 0 ? strerror(errno) : "it cannot be made");
    return false;
}

static bool save_page(const struct plan* plan, const json_t* document) {
    const char* path = args_text(plan->args, "html");
    if (path == NULL || heap_page_save(path, document)) return true;
    missing_error("cannot write the page %s: %s", path, errno != 0 ? strerror(errno) : "it cannot be made");
    return false;
}

static const char* title_of(const struct args* args) {
    if (args->rest_count > 0) return args->rest[0];
    return args->operand_count > 0 ? args->operands[0] : args_text(args, "pid");
}

static int show(struct plan* plan, FILE* out) {
    struct heap_profile* profile = &plan->profile;
    if (profile->processes == 0) return missing_error("there is no profile: no process wrote a complete one");
    if (plan->order == HEAP_BY_GROWTH && profile->moments < 2)
        return usage_error("growth needs two moments: give --every SECONDS");
    heap_name_frames(profile, plan->args);
    heap_sort(profile, plan->order);
    heap_print(profile, plan->order, plan->top, out);
    written_order = plan->order;
    json_t* document = heap_document(profile, title_of(plan->args));
    bool done = save(plan->args, "pprof", write_pprof, profile) &&
                save(plan->args, "collapsed", write_collapsed, profile) &&
                save(plan->args, "json", write_json, document) && save_page(plan, document);
    json_decref(document);
    return done ? STATUS_OK : STATUS_MISSING;
}

// --- a command

static bool make_folder(struct plan* plan) {
    const char *raw = args_text(plan->args, "raw"), *place = getenv("TMPDIR");
    plan->keeps_folder = raw != NULL;
    if (raw != NULL) {
        if ((mkdir(raw, 0777) == 0 || errno == EEXIST) && realpath(raw, plan->folder) != NULL) return true;
        missing_error("cannot make the folder %s: %s", raw, strerror(errno));
        return false;
    }
    if (place == NULL || *place == '\0') place = "/tmp";
    snprintf(plan->folder, sizeof plan->folder, "%s/hakstress-profile-XXXXXX", place);
    if (mkdtemp(plan->folder) != NULL) return true;
    missing_error("cannot make a folder in %s: %s", place, strerror(errno));
    return false;
}

static void remove_folder(const struct plan* plan) {
    DIR* folder = plan->keeps_folder ? NULL : opendir(plan->folder);
    if (folder == NULL) return;
    for (struct dirent* entry; (entry = readdir(folder)) != NULL;) unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(plan->folder);
}

static int conclude(struct plan* plan, const struct heap_start* start) {
    if (start->exec_error != 0) {
        fprintf(stderr, "hakstress: cannot run %s: %s\n", plan->args->rest[0], strerror(start->exec_error));
        return start->exec_error == ENOENT ? 127 : 126;
    }
    int status = WIFSIGNALED(start->status) ? 128 + WTERMSIG(start->status) : WEXITSTATUS(start->status);
    if (!heap_dump_read_folder(&plan->profile, plan->folder)) return STATUS_MISSING;
    int shown = show(plan, stderr);
    return status != 0 ? status : shown;
}

static int run_command(struct plan* plan) {
    if (!library_beside(LIBHAKMEM, plan->library, sizeof plan->library)) return STATUS_MISSING;
    if (strpbrk(plan->library, " :") != NULL)
        return missing_error("LD_PRELOAD cannot name %s: its path contains a space or a colon", plan->library);
    if (!make_folder(plan)) return STATUS_MISSING;
    struct heap_start start = {
        .library = plan->library, .folder = plan->folder, .rate = plan->rate, .every_ms = plan->every_ms};
    int status = heap_run(&start, plan->args->rest) ? conclude(plan, &start) : STATUS_MISSING;
    remove_folder(plan);
    return status;
}

// --- files, and a running process

static int show_files(struct plan* plan) {
    const struct args* args = plan->args;
    for (int i = 0; i < args->operand_count; i++) {
        struct stat status;
        bool is_folder = stat(args->operands[i], &status) == 0 && S_ISDIR(status.st_mode);
        if (!(is_folder ? heap_dump_read_folder : heap_dump_read)(&plan->profile, args->operands[i]))
            return STATUS_USAGE;
    }
    if (plan->profile.processes == 0)
        return usage_error("%s%s: no complete heap profile there", args->operands[0],
                           args->operand_count > 1 ? ", ..." : "");
    return show(plan, stdout);
}

static int show_process(struct plan* plan) {
    uint64_t pid;
    char file[PATH_MAX];
    if (!args_number(plan->args, "pid", 1, INT32_MAX, &pid)) return STATUS_USAGE;
    if (!heap_ask((pid_t)pid, file, sizeof file)) return STATUS_MISSING;
    if (plan->every_ms > 0) {
        usleep((useconds_t)(plan->every_ms * 1000));
        if (!heap_ask((pid_t)pid, file, sizeof file)) return STATUS_MISSING;
    }
    return heap_dump_read(&plan->profile, file) ? show(plan, stdout) : STATUS_MISSING;
}

static int run(const struct args* args) {
    static struct plan plan;
    plan.args = args;
    if (!read_plan(&plan)) return STATUS_USAGE;
    int status = args->rest_count > 0      ? run_command(&plan)
                 : args->operand_count > 0 ? show_files(&plan)
                                           : show_process(&plan);
    heap_profile_free(&plan.profile);
    return status;
}

const struct command command_profile = {
    .name = "profile",
    .synopsis = "FILE...\n--pid PID\n-- COMMAND [ARGUMENT...]",
    .summary = "show which stacks hold and allocate a program's memory, by samples that production bears",
    .options = profile_options,
    .notes = profile_notes,
    .examples = "hakstress profile -- ./server --port 8080\n"
                "hakstress profile --html heap.html --every 10 -- python3 script.py\n"
                "hakstress profile --pprof heap.pb.gz -- ./server; go tool pprof heap.pb.gz\n"
                "hakstress profile --pid 4711\n",
    .run = run,
};
