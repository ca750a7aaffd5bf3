// hakstress run: runs any program under the checked library and explains its crash.
#include "args/args.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/json.h"
#include "command/commands.h"
#include "command/failures.h"
#include "command/idle_variables.h"
#include "leaks/ended_thread.h"
#include "leaks/leak_plan.h"
#include "leaks/leak_text.h"
#include "process/proc_status.h"
#include "process/procmaps.h"
#include "report/not_loaded.h"
#include "report/page_coverage.h"
#include "results/results.h"
#include "supervise/faults.h"
#include "supervise/launch.h"
#include "supervise/patience.h"
#include "supervise/survived.h"
#include "workload/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMED_OUT = 124 };  // as of timeout(1)

static const struct option_spec run_options[] = {
    {"guard", NULL, NULL, NULL, "all checks on: HAKMEM_GUARD=1, HAKMEM_LINKS=encoded, HAKMEM_DEBUG_OWNERSHIP=1"},
    {"pages", "[=start]", NULL, NULL,
     "every block on pages of its own, so that a wrong read or write stops at the instruction: past the end of a block "
     "or, with =start, before its start, or after its free; implies --guard"},
    {"leaks", "[=all]", NULL, NULL,
     "tell the blocks to which nothing led any more when a process exited, by the stack that allocated them; with "
     "=all, also those that could still be reached; implies --guard"},
    {"leaks-exit", "N", NULL, NULL, "exit status if blocks were lost; this option and the next ones imply --leaks"},
    {"leaks-suppressions", "FILE", "HAKSTRESS_LEAKS_SUPPRESSIONS", NULL,
     "leaks that are not told: lines leak:PATTERN, as for LeakSanitizer"},
    {"leaks-baseline", "FILE", NULL, NULL, "leaks that are known: a file of --leaks-save"},
    {"leaks-save", "FILE", NULL, NULL, "write the leaks of this run to a file for --leaks-baseline"},
    {"leaks-wrappers", "LIST", "HAKSTRESS_LEAKS_WRAPPERS", NULL,
     "more functions that only pass an allocation on: patterns with *, and commas between them"},
    {"pid", "PID", NULL, NULL,
     "watch a running process that has the checked library, instead of a command; Ctrl-C lets it go on alone"},
    {"fail-malloc", "N|1/N|SIZE+", NULL, NULL,
     "allocations fail, with NULL and ENOMEM or std::bad_alloc: the N-th of each process; or one in N, at random; or "
     "each of SIZE bytes or more (K, M, G)"},
    {"timeout", "S", NULL, NULL,
     "after S seconds, report all threads of all watched processes, and end these by SIGTERM, then SIGKILL; exit "
     "status 124"},
    {"hang-after", "S", NULL, NULL,
     "when no watched process has used the processor or the allocator for S seconds, report all threads, and go on"},
    {"fault-exit", "N", NULL, "1", "exit status if a crash report was written; see below"},
    {.name = NULL},
};

static const char run_notes[] =
    // clang-format off
    "COMMAND keeps stdin, stdout, stderr, terminal, signals and core dumps. hakstress watches it and all processes\n"
    "that it starts, until all have ended. Each one that crashes gets a report. Lines of hakstress go to stderr, at\n"
    "the end. HAKMEM_* variables that you set stay in force, except HAKMEM_RING_FILE, HAKMEM_GUARD with --guard, and\n"
    "HAKMEM_PAGES with --pages. HAKMEM_RING defaults to 1024.\n"
    "\n"
    "SIGQUIT to hakstress, or Ctrl-\\ on the terminal: a report of all threads of all watched processes, which then\n"
    "go on. The key's signal does not reach them. With --leaks, what they have lost up to now is told as well.\n"
    "\n"
    "Exit status: COMMAND's own, 128 + N if it died of signal N, 127 if it was not found, 126 if it cannot be\n"
    "executed. If a report was written, or the library told of a wrong act (HAKMEM_ON_ERROR=report): N of\n"
    "--fault-exit N if that is given on the command line, else 1 if COMMAND itself did not die of a signal. 124 if\n"
    "the time of --timeout was over. Else, if blocks were lost that are neither suppressed nor in the baseline: N of\n"
    "--leaks-exit N.\n";
// clang-format on

struct run {
    const struct args* args;
    struct ring_dir rings;
    char library[PATH_MAX];
    char command[4096], again[8192];
    uint64_t fault_exit;
    struct launch launch;
    bool attaches;  // to a process that runs already
    struct faults faults;
    struct survived survived;
    struct tracing tracing;
    struct patience patience;
    struct failures failures;
    struct leak_plan leak_plan;
    struct leaks leaks;
    json_t* found_leaks;  // of the whole run; NULL: not asked for
    bool leaks_saved;
    size_t died;               // processes that ended by a signal
    size_t without;            // processes that ended without having loaded the library
    char first_without[4096];  // the first of them
    const char* why_without;   // it
    size_t unused;             // processes that loaded it and never called it
    char first_unused[4096];
    bool unused_is_certain;         // of that one; otherwise its ring may have been out of its reach
    struct page_coverage coverage;  // of blocks on pages of their own
};

// The plan

// The value of HAKMEM_PAGES; NULL: not asked for.
static const char* pages_of(const struct args* args) {
    const char* text = args_text(args, "pages");
    return text != NULL && text[0] == '\0' ? "end" : text;
}

// The value in force, whether it comes from the option or the variable; NULL: no pages of their own.
static const char* pages_in_force(const struct args* args) {
    const char *text = pages_of(args), *variable = getenv("HAKMEM_PAGES");
    bool set = variable != NULL && *variable != '\0' && strcmp(variable, "off") != 0;
    return text != NULL || !set ? text : variable;
}

static bool is_pages_value(const char* text) {
    return strcmp(text, "end") == 0 || strcmp(text, "start") == 0;
}

static bool check_pages(const struct args* args) {
    const char* pages = pages_of(args);
    if (pages == NULL) return true;
    if (!is_pages_value(pages))
        usage_error("--pages takes end or start, not '%s'", pages);
    else if (args_given(args, "pages", 1) != NULL)
        usage_error(
            "--pages may be given once: a run puts blocks at the end of their pages or, with =start, at the start");
    else if (args->operand_count > 0 && is_pages_value(args->operands[0]))
        usage_error("write --pages=%s, with =", args->operands[0]);
    else
        return true;
    return false;
}

// What cannot be had from a process that runs already.
static bool check_process(const struct args* args) {
    static const char* const not_now[] = {"guard", "pages", "fail-malloc", "timeout"};
    for (size_t i = 0; i < sizeof not_now / sizeof not_now[0]; i++) {
        if (!args_is_set(args, not_now[i])) continue;
        usage_error("--%s is for a command; a process that runs already keeps its own ways", not_now[i]);
        return false;
    }
    if (args->rest_count > 0 || args->operand_count > 0) usage_error("give a command or --pid, not both");
    return args->rest_count == 0 && args->operand_count == 0;
}

static bool read_plan(struct run* run) {
    const struct args* args = run->args;
    uint64_t seed;
    if (!check_pages(args)) return false;
    if (args_is_set(args, "pid")) {
        uint64_t process;
        run->attaches = true;
        if (!args_number(args, "pid", 1, INT32_MAX, &process) || !check_process(args)) return false;
        run->launch.pid = (pid_t)process;
        return args_number(args, "fault-exit", 0, 255, &run->fault_exit) &&
               args_seconds(args, "hang-after", &run->patience.hang_after) && leak_plan_read(&run->leak_plan, args);
    }
    if (args->operand_count > 0) {
        usage_error("put -- before the command: hakstress run [OPTIONS] -- %s ...", args->operands[0]);
        return false;
    }
    if (args->rest_count == 0) {
        usage_error("name a command; usage: hakstress run [OPTIONS] -- COMMAND [ARGUMENT...]");
        return false;
    }
    if (args_is_set(args, "seed") && !args_number(args, "seed", 0, INT64_MAX, &seed)) return false;
    if (!failures_read(args_text(args, "fail-malloc"), &run->failures)) return false;
    return args_number(args, "fault-exit", 0, 255, &run->fault_exit) &&
           args_seconds(args, "timeout", &run->patience.timeout) &&
           args_seconds(args, "hang-after", &run->patience.hang_after) && leak_plan_read(&run->leak_plan, args);
}

static bool is_guarded(const struct run* run) {
    return args_is_set(run->args, "guard") || run->leak_plan.wanted || args_is_set(run->args, "pages");
}

static bool find_library(struct run* run) {
    if (!library_beside("libhakmem-checked.so", run->library, sizeof run->library)) return false;
    if (strpbrk(run->library, " :") == NULL) return true;
    missing_error("LD_PRELOAD cannot name %s: its path contains a space or a colon", run->library);
    return false;
}

static void append_option(const struct args* args, const char* option, char* out, size_t size) {
    size_t used = strlen(out);
    if (args_text(args, option) != NULL) snprintf(out + used, size - used, "--%s %s ", option, args_text(args, option));
}

static void describe_again(struct run* run) {
    const struct args* args = run->args;
    char leaks[4096], tail[sizeof run->command + sizeof leaks + 256], times[128] = "";
    append_option(args, "fail-malloc", times, sizeof times);
    append_option(args, "timeout", times, sizeof times);
    append_option(args, "hang-after", times, sizeof times);
    result_quote(args->rest, args->rest_count, run->command, sizeof run->command);
    leak_plan_again(args, leaks, sizeof leaks);
    const char* pages = pages_of(args);
    snprintf(tail, sizeof tail, "run %s%s%s%s%s%s-- %s", args_is_set(args, "guard") ? "--guard " : "",
             pages != NULL ? "--pages=" : "", pages != NULL ? pages : "", pages != NULL ? " " : "", leaks, times,
             run->command);
    result_again(args, tail, run->again, sizeof run->again);
}

static bool set(const char* name, const char* value, bool replace) {
    if (setenv(name, value, replace) == 0) return true;
    missing_error("cannot set %s: %s", name, strerror(errno));
    return false;
}

// The environment of this process, which starts nothing but the command.
static bool set_environment(const struct run* run) {
    char ring_file[sizeof run->rings.path + 16];
    char* preload = NULL;
    const char* others = getenv("LD_PRELOAD");
    bool more = others != NULL && *others != '\0';
    if (asprintf(&preload, "%s%s%s", run->library, more ? ":" : "", more ? others : "") < 0) {
        missing_error("out of memory");
        return false;
    }
    snprintf(ring_file, sizeof ring_file, "%s/%%p.ring", run->rings.path);
    bool done = set("LD_PRELOAD", preload, true) && set("HAKMEM_RING_FILE", ring_file, true) &&
                set("HAKMEM_RING", "1024", false) && failures_set(&run->failures);
    free(preload);
    if (!done || !is_guarded(run)) return done;
    if (pages_of(run->args) != NULL && !set("HAKMEM_PAGES", pages_of(run->args), true)) return false;
    return set("HAKMEM_GUARD", "1", true) && set("HAKMEM_LINKS", "encoded", false) &&
           set("HAKMEM_DEBUG_OWNERSHIP", "1", false);
}

// Watching

// Reports what a process has noted of its own crash. true: it is reported, now or before.
static bool take_noted_crash(struct run* run, pid_t process) {
    struct noted_crash crash = ring_dir_noted_crash(&run->rings, process);
    if (crash.noted && crash.answer == CRASH_UNSEEN) {
        ring_dir_answer_crash(&run->rings, process, CRASH_SEEN);
        faults_add(&run->faults, &(struct tracing_death){.process = process, .number = crash.signal});
        ring_dir_answer_crash(&run->rings, process, CRASH_REPORTED);
    }
    return crash.noted;
}

static void on_death(void* context, const struct tracing_death* death) {
    struct run* run = context;
    if (run->patience.killed && death->number == SIGKILL) return;
    if (death->thread == 0 && take_noted_crash(run, death->process)) return;
    survived_note_death(&run->survived, death);
    faults_add(&run->faults, death);
}

static bool is_loaded(const struct run* run, pid_t thread) {
    struct procmaps maps = {0};
    bool found = !procmaps_read(&maps, thread);  // assumed if the maps cannot be read
    for (size_t i = 0; i < maps.count && !found; i++) found = strcmp(maps.mappings[i].path, run->library) == 0;
    procmaps_free(&maps);
    return found;
}

// What a process could still reach goes through its threads.
static struct root_thread* find_threads(pid_t process, size_t* count) {
    const struct tracing_end* ends = tracing_ends(process, count);
    struct root_thread* threads = calloc(*count + 1, sizeof *threads);
    for (size_t i = 0; threads != NULL && i < *count; i++) ended_thread_root(&ends[i], &threads[i]);
    return threads;
}

static void find_leaks(struct run* run, pid_t process, pid_t thread, struct leaks* leaks) {
    char command[4096] = "unknown";
    struct ring_copy copy;
    struct leaking_process of = {.process = process, .thread = thread, .command = command};
    struct root_thread* threads = find_threads(process, &of.thread_count);
    if (threads == NULL) return;
    ring_dir_read(&run->rings, thread, &copy);
    process_command(thread, command, sizeof command);
    of.library = run->library;
    of.ring_folder = run->rings.path;
    of.ring = copy.ring;
    of.ring_address = copy.address;
    of.threads = threads;
    leaks_read(leaks, &of);
    ring_copy_free(&copy);
    free(threads);
}

// Did a check stop it? A check writes to the ring before it aborts.
static bool has_spoken(const struct run* run, pid_t thread) {
    struct ring_copy copy;
    ring_dir_read(&run->rings, thread, &copy);
    bool spoke = load_relaxed(&copy.ring->has_last_words) != 0;
    ring_copy_free(&copy);
    return spoke;
}

static void note_unchecked(struct run* run, pid_t thread) {
    bool loaded = is_loaded(run, thread);
    size_t* count = loaded ? &run->unused : &run->without;
    if ((*count)++ > 0) return;
    process_command(thread, loaded ? run->first_unused : run->first_without, sizeof run->first_without);
    if (loaded)
        run->unused_is_certain = proc_sees_same_files(thread);
    else
        run->why_without = not_loaded_why(thread, run->library);
}

static void note_coverage(struct run* run, pid_t thread) {
    struct ring_copy copy;
    ring_dir_read(&run->rings, thread, &copy);
    page_coverage_add(&run->coverage, thread, copy.ring->guard);
    ring_copy_free(&copy);
}

static void note_refusals(struct run* run, pid_t thread) {
    HakRingFile head;
    if (!ring_dir_read_head(&run->rings, thread, &head)) return;
    uint32_t refused = load_relaxed(&head.refused);
    run->failures.refused += refused;
    run->failures.processes += refused != 0;
}

// Whoever asks a server to end wants to know as well what it had lost. What a fault has left may be damaged.
static bool tells_leaks(int number) {
    return number != SIGKILL && !is_fault_signal(number);
}

static void on_exiting(void* context, pid_t process, pid_t thread, int number) {
    struct run* run = context;
    bool cleanly = number == 0;
    if (pages_in_force(run->args) != NULL) note_coverage(run, thread);
    note_refusals(run, thread);
    survived_note_told(&run->survived, process, thread);
    run->died += !tells_leaks(number);
    if (run->leak_plan.wanted && tells_leaks(number)) find_leaks(run, process, thread, &run->leaks);
    if (!ring_dir_has(&run->rings, thread))
        note_unchecked(run, thread);
    else if (cleanly && has_spoken(run, thread))  // it caught the signal of the check
        faults_add(&run->faults, &(struct tracing_death){.process = process, .thread = thread, .number = SIGABRT});
}

static void on_refused(void* context, pid_t process, pid_t thread, const struct tracing_signal* signal) {
    struct run* run = context;
    survived_note_fault(&run->survived, process, thread, signal);
}

static void on_over(void* context, pid_t process, bool execs) {
    struct run* run = context;
    if (execs) survived_note_told(&run->survived, process, 0);
    ring_dir_forget(&run->rings, process);
}

// If ptrace was refused, the rings still have what the processes noted of their crashes, and the last words of those
// that a check stopped.
static void on_ring(void* context, pid_t process) {
    struct run* run = context;
    survived_note_told(&run->survived, process, 0);
    if (!take_noted_crash(run, process) && has_spoken(run, process) && process != run->launch.pid)
        faults_add(&run->faults, &(struct tracing_death){.process = process, .number = SIGABRT});
}

static void on_ring_while_it_runs(void* context, pid_t process) {
    take_noted_crash(context, process);
}

static double on_tick(void* context) {
    static const double often = 0.05;
    struct run* run = context;
    double next = patience_tick(&run->patience);
    if (run->launch.traced) return next;
    ring_dir_each(&run->rings, on_ring_while_it_runs, run);
    return fmin(next, often);
}

struct leak_look {
    struct run* run;
    struct leaks* leaks;
};

static void look_for_leaks(void* context, pid_t process) {
    struct leak_look* look = context;
    if (!tracing_keep_threads(process)) return;
    find_leaks(look->run, process, process, look->leaks);
    tracing_forget_threads(process);
}

// What living processes have lost up to now.
static void report_leaks(struct run* run) {
    struct leaks leaks = {.searched = 0};
    leaks_start(&leaks, run->leak_plan.with_reachable);
    tracing_halt(&run->tracing);
    tracing_each(look_for_leaks, &(struct leak_look){run, &leaks});
    tracing_release(&run->tracing);
    json_t* document = leak_plan_judge(&run->leak_plan, &leaks);
    if (leaks.searched > 0) leak_text_print(document, args_is_set(run->args, "quiet"), stderr);
    json_decref(document);
    leaks_free(&leaks);
}

// They are among those of the processes that have ended meanwhile.
static void on_leaving(void* context) {
    struct run* run = context;
    if (run->leak_plan.wanted) tracing_each(look_for_leaks, &(struct leak_look){run, &run->leaks});
}

static void on_asked(void* context) {
    struct run* run = context;
    patience_report(&run->patience, REPORT_ASKED);
    if (run->leak_plan.wanted) report_leaks(run);
}

static void watch(struct run* run) {
    run->patience.faults = &run->faults;
    run->patience.tracing = &run->tracing;
    run->patience.quiet = args_is_set(run->args, "quiet");
    patience_start(&run->patience);
    tracing_watch(&run->tracing, run->launch.pid, run->launch.traced);
    if (run->launch.traced) return;
    if (!ring_dir_has(&run->rings, run->launch.pid)) {
        run->without = 1;
        snprintf(run->first_without, sizeof run->first_without, "%s", run->command);
    }
    ring_dir_each(&run->rings, on_ring, run);
}

// The result

static int own_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool found_fault(const struct run* run) {
    return run->faults.count > 0 || survived_is_told(&run->survived);
}

static int exit_status(const struct run* run) {
    int status = run->tracing.detached ? 0 : run->tracing.status;
    bool wanted = args_source(run->args, "fault-exit") == FROM_COMMAND_LINE;
    bool lost = run->found_leaks != NULL && leak_text_is_new(run->found_leaks);
    if (found_fault(run) && wanted) return (int)run->fault_exit;
    if (run->patience.timed_out) return TIMED_OUT;
    if (!found_fault(run) && lost && run->leak_plan.has_exit && !WIFSIGNALED(status)) return (int)run->leak_plan.exit;
    if (!found_fault(run)) return run->leaks_saved ? own_status(status) : STATUS_MISSING;
    return WIFSIGNALED(status) ? own_status(status) : STATUS_FAULT;
}

static void save_result(const struct run* run, int status) {
    int raw = run->tracing.status;
    json_t* command = json_array();
    for (int i = 0; i < run->args->rest_count; i++) json_array_append_new(command, json_text(run->args->rest[i]));
    json_t* result = result_new(run->args, run->args->command->name);
    json_put_text(result, "again", run->again);
    json_put_text(result, "outcome", found_fault(run) ? "fault" : "ok");
    json_object_set_new(result, "command", command);
    json_put_bool(result, "guard", is_guarded(run));
    if (pages_in_force(run->args) != NULL) json_object_set_new(result, "pages", page_coverage_json(&run->coverage));
    json_put_text(result, "library", run->library);
    json_put_real(result, "seconds", workload_clock() - run->faults.began);
    json_put_whole(result, "status", own_status(raw));
    json_put_whole(result, "signal", WIFSIGNALED(raw) ? WTERMSIG(raw) : 0);
    json_put_whole(result, "exit_status", status);
    json_put_bool(result, "detached", run->tracing.detached);
    json_put_bool(result, "traced", run->launch.traced);
    json_put_count(result, "processes", run->tracing.processes);
    json_put_count(result, "processes_without_library", run->without);
    json_put_count(result, "processes_not_using_library", run->unused);
    json_object_set_new(result, "leaks", run->found_leaks != NULL ? json_incref(run->found_leaks) : json_null());
    json_put_whole(result, "faults", run->faults.count);
    json_object_set(result, "reports", run->faults.list);
    json_object_set(result, "looks", run->faults.looks);
    json_object_set_new(result, "fail_malloc", failures_json(&run->failures));
    json_put_bool(result, "timed_out", run->patience.timed_out);
    json_object_set(result, "told", run->survived.told);
    json_object_set_new(result, "caught_accesses", survived_caught_json(&run->survived));
    json_object_set(result, "fault", run->faults.first != NULL ? run->faults.first : json_null());
    result_save(run->args, run->args->command->name, result);
    json_decref(result);
}

static void print_leaks(const struct run* run) {
    const struct leaks* leaks = &run->leaks;
    if (!run->launch.traced) return;  // said below
    if (run->tracing.detached && leaks->searched > 0)
        fprintf(stderr, "run: what was lost up to now, in processes that go on:\n");
    if (leaks->searched > 0) leak_text_print(run->found_leaks, false, stderr);
    if (leaks->failed > 0)
        fprintf(stderr, "run: for %zu process%s there was not enough memory to search for leaks\n", leaks->failed,
                leaks->failed == 1 ? "" : "es");
    if (run->died > 0)
        fprintf(stderr, "run: %zu process%s died of a signal: what %s had lost is not listed\n", run->died,
                run->died == 1 ? "" : "es", run->died == 1 ? "it" : "they");
    else if (leaks->searched == 0)
        fprintf(stderr, "run: no process that exited had records of its blocks, so leaks are unknown\n");
}

static void print_idle_variables(const struct run* run) {
    const char *guard = getenv("HAKMEM_GUARD"), *pages = pages_in_force(run->args);
    bool by_variable = guard != NULL && strcmp(guard, "1") == 0;
    idle_variables_print(
        &(struct modes_in_force){.guard = is_guarded(run) || by_variable || pages != NULL, .pages = pages}, stderr);
}

static void print_findings(const struct run* run) {
    bool brief = args_is_set(run->args, "quiet");
    faults_print(&run->faults, brief, stderr);
    survived_print(&run->survived, brief, stderr);
    if (brief) {
        if (run->found_leaks != NULL) leak_text_print(run->found_leaks, true, stderr);
        return;
    }
    if (pages_in_force(run->args) != NULL) page_coverage_print(&run->coverage, stderr);
    failures_print(&run->failures, stderr);
    if (run->leak_plan.wanted) print_leaks(run);
    if (run->without > 0)
        fprintf(stderr, "run: the library was not loaded in %s (%s), so nothing was checked there\n",
                run->first_without,
                run->why_without != NULL ? run->why_without : "static, set-user-id, or started without LD_PRELOAD?");
    if (run->without > 1) fprintf(stderr, "run: nor in %zu more processes\n", run->without - 1);
    if (run->unused > 0 && !run->unused_is_certain)
        fprintf(stderr, "run: %s has changed its root or its user, so it could not tell this run what it did\n",
                run->first_unused);
    else if (run->unused > 0)
        fprintf(stderr, "run: %s never used the library (%s), so nothing was checked there\n", run->first_unused,
                "it has a malloc of its own, or allocates nothing");
    if (run->unused > 1) fprintf(stderr, "run: nor did %zu more processes\n", run->unused - 1);
    print_idle_variables(run);
    if (!run->launch.traced)
        fprintf(
            stderr,
            "run: ptrace was refused (%s): a process notes its crash itself, unless it has a handler of its own; of "
            "leaks, and of children that hang, nothing is known\n",
            strerror(run->launch.trace_error));
}

static int conclude(struct run* run) {
    int error = run->attaches ? 0 : launch_error(&run->launch);
    if (error != 0) {
        fprintf(stderr, "hakstress: cannot run %s: %s\n", run->args->rest[0], strerror(error));
        return error == ENOENT ? 127 : 126;
    }
    run->leaks_saved = true;
    if (run->leak_plan.wanted) run->found_leaks = leak_plan_apply(&run->leak_plan, &run->leaks, &run->leaks_saved);
    int status = exit_status(run);
    save_result(run, status);
    print_findings(run);
    return status;
}

static void watch_and_conclude(struct run* run, int* status) {
    run->faults = (struct faults){.args = run->args,
                                  .rings = &run->rings,
                                  .again = run->again,
                                  .command = run->command,
                                  .process = run->launch.pid,
                                  .began = workload_clock()};
    faults_start(&run->faults);
    survived_start(&run->survived, &run->rings);
    leaks_start(&run->leaks, run->leak_plan.with_reachable);
    watch(run);
    *status = conclude(run);
    faults_free(&run->faults);
    survived_free(&run->survived);
    leaks_free(&run->leaks);
    leak_plan_free(&run->leak_plan);
    json_decref(run->found_leaks);
}

// A process that runs already

static bool find_loaded_library(struct run* run) {
    static const char name[] = "/libhakmem-checked.so";
    struct procmaps maps;
    if (!procmaps_read(&maps, run->launch.pid)) {
        missing_error("cannot look at process %d: %s", (int)run->launch.pid, strerror(errno));
        return false;
    }
    bool found = false;
    for (size_t i = 0; i < maps.count && !found; i++) {
        const char* slash = strrchr(maps.mappings[i].path, '/');
        found = slash != NULL && strncmp(slash, name, sizeof name - 1) == 0;
        if (found) snprintf(run->library, sizeof run->library, "%s", maps.mappings[i].path);
    }
    procmaps_free(&maps);
    if (found) return true;
    if (!library_find_beside(name + 1, run->library, sizeof run->library))
        snprintf(run->library, sizeof run->library, "%s", name + 1);
    missing_error("process %d has not loaded libhakmem-checked.so; start it by hakstress run --, or with LD_PRELOAD=%s",
                  (int)run->launch.pid, run->library);
    return false;
}

// Leaks are found by the records of guard mode, which cannot begin later.
static bool has_records(const struct run* run) {
    HakRingFile head;
    if (!run->leak_plan.wanted || (ring_dir_read_head(&run->rings, run->launch.pid, &head) && head.guard != 0))
        return true;
    missing_error(
        "process %d has no records of its blocks, so --leaks cannot say what it loses; start it with HAKMEM_GUARD=1, "
        "or by hakstress run --leaks -- COMMAND",
        (int)run->launch.pid);
    return false;
}

static int attach(struct run* run) {
    int status = STATUS_MISSING;
    if (!find_loaded_library(run)) return STATUS_MISSING;
    process_command(run->launch.pid, run->command, sizeof run->command);
    char tail[64];
    snprintf(tail, sizeof tail, "run --pid %d", (int)run->launch.pid);
    result_again(run->args, tail, run->again, sizeof run->again);
    if (!ring_dir_of_process(&run->rings, run->launch.pid, run->library))
        fprintf(stderr, "run: the symbols of %s are missing, so reports have no rings and no heap\n", run->library);
    if (!has_records(run)) return STATUS_MISSING;
    if (tracing_attach(&run->tracing, run->launch.pid) != 0)
        return missing_error("cannot watch process %d: %s", (int)run->launch.pid, strerror(errno));
    run->launch.traced = true;
    if (!args_is_set(run->args, "quiet"))
        fprintf(stderr, "run: watching process %d, %s; Ctrl-C lets it go on alone\n", (int)run->launch.pid,
                run->command);
    watch_and_conclude(run, &status);
    return status;
}

static int run_run(const struct args* args) {
    static struct run run;
    run.args = args;
    run.tracing = (struct tracing){.context = &run,
                                   .died = on_death,
                                   .exiting = on_exiting,
                                   .refused = on_refused,
                                   .over = on_over,
                                   .tick = on_tick,
                                   .leaving = on_leaving,
                                   .asked = on_asked};
    if (!read_plan(&run)) return STATUS_USAGE;
    run.tracing.keeps_ends = run.leak_plan.wanted;
    int status = result_check(args);
    if (status != STATUS_OK) return status;
    if (run.attaches) return attach(&run);
    if (!find_library(&run)) return STATUS_MISSING;
    if (!failures_choose_seed(&run.failures)) return STATUS_MISSING;
    describe_again(&run);
    if (!ring_dir_make(&run.rings, run.library)) return STATUS_MISSING;
    status = STATUS_MISSING;
    if (set_environment(&run) && launch(&run.launch, args->rest)) watch_and_conclude(&run, &status);
    ring_dir_remove(&run.rings);
    return status;
}

const struct command command_run = {
    .name = "run",
    .may_keep_nothing = true,
    .synopsis =
        "[--guard] [--pages[=start]] [--leaks[=all]] [--leaks-exit N] [--fail-malloc N|1/N|SIZE+] [--timeout S] "
        "[--hang-after S] [--fault-exit N] -- COMMAND [ARGUMENT...]\n"
        "--pid PID [--leaks] [--hang-after S]",
    .summary = "run any program under the checked library and explain its crash",
    .options = run_options,
    .notes = run_notes,
    .examples =
        "hakstress run -- ./server --port 8080\n"
        "hakstress run --guard -- python3 script.py   # finds writes out of bounds, double frees and use after free\n"
        "hakstress run --pages -- ./parser input      # finds wrong reads as well\n"
        "hakstress run --leaks -- ./tool\n"
        "hakstress run --leaks-exit 23 --leaks-baseline known.json -- make check\n"
        "hakstress run --pid 4711                     # watch a process that has the checked library\n"
        "hakstress run --fail-malloc 1/1000 -- ./tool # what becomes of it when memory runs out\n"
        "hakstress run --timeout 60 -- ./worker       # where it hangs, and who holds which lock\n"
        "hakstress run --guard --fault-exit 99 -- make check\n",
    .takes_variables = true,
    .run = run_run,
};
