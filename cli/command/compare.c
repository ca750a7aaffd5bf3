// hakstress compare: several allocators on workloads or on the user's own command, interleaved, with statistics.
#include "args/args.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/json.h"
#include "base/save_file.h"
#include "command/commands.h"
#include "compare/document.h"
#include "compare/earlier.h"
#include "compare/hints.h"
#include "compare/measure.h"
#include "compare/page.h"
#include "compare/plan.h"
#include "compare/subjects.h"
#include "compare/table.h"
#include "compare/verdicts.h"
#include "results/results.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec compare_options[] = {
    {"allocator", "NAME=FILE", NULL, NULL,
     "one more allocator: NAME=FILE.so[,VARIABLE=VALUE...], or a known one with variables: hakmem,HAKMEM_X=0; may be "
     "repeated"},
    {"allocators", "A,B,C", NULL, NULL, "use only these, and the baseline; default: all that were found or added"},
    {"baseline", "NAME|FILE.json", NULL, "glibc",
     "the allocator that the others are compared with; or the result of an earlier run, to see what has changed since "
     "then; may be given twice, once for each"},
    {"gate", "PERCENT", NULL, NULL,
     "with an earlier run: exit status 1 if an allocator is slower, or needs more memory, than then by more than this, "
     "relative to the baseline, with the whole interval"},
    {"prepare", "COMMAND", NULL, NULL, "a shell command before each run of your command; it is not measured"},
    {"cleanup", "COMMAND", NULL, NULL, "the same after each run"},
    {"sweep", "NAME=A,B,C", NULL, NULL,
     "measure each workload with each value of a parameter, or threads; with a command, {NAME} in it stands for the "
     "value. Ranges: 1..8, 0..100+10, 1..16*2"},
    {"threads", "T", NULL, NULL,
     "threads of each workload (xmalloc, prodcons, idle-owner: pairs of threads); default: 1; without WORKLOAD, all "
     "processors (at most 4) for larson and mstress"},
    {"seconds", "S", NULL, NULL, "length of a run of a workload; default: from the budget"},
    {"rounds", "N", NULL, NULL, "the number of rounds; default: until the intervals are narrow or the budget is spent"},
    {"budget", "SECONDS", NULL, "240", "start no round after this time"},
    {"precision", "PERCENT", NULL, "1", "the half width at which an interval is narrow enough"},
    {"noise", "PERCENT", NULL, "10",
     "refuse to measure if two halves of the baseline's runs differ by more than this; without the option, refuse "
     "also if the test claims any difference between them"},
    {"timeout", "SECONDS", NULL, NULL,
     "a run that takes longer has failed; default for workloads: 20 times the length of a run plus 30 s"},
    {"pin", NULL, NULL, NULL, "bind each run to as many processors as it has threads (a command: to one)"},
    {"show-output", NULL, NULL, NULL,
     "pass the command's output on to stderr; default: keep only its last message, for failures"},
    {"csv", "FILE|-", NULL, NULL, "medians, ratios and claims; -: to stdout, and the text to stderr"},
    {"markdown", "FILE|-", NULL, NULL, "the table; -: as with --csv"},
    {"html", "FILE", NULL, NULL,
     "the page: charts and every sample in one file; default: a file beside the JSON result"},
    {.name = NULL},
};

static const char compare_notes[] =
    "Every allocator is preloaded into the same program. Each run is a fresh process, and the order is random. Each "
    "run\n"
    "shows which library its malloc comes from. A difference is claimed if it is above 1 %, its interval excludes 1, "
    "and\n"
    "its probability, corrected for all rows, is below 0.01: see docs/COMPARE.md.\n"
    "WORKLOAD is a name of `hakstress list workloads`, with parameters as in larson:min=16,max=1000,threads=2.\n"
    "\n"
    "Exit status: 0 measured; 1 a run failed (it is listed), or --gate found a loss; 2 wrong usage; 3 something is "
    "missing, or a library was "
    "not\n"
    "loaded; 4 this machine is too noisy; 130 stopped, and what was measured until then is kept.\n";

static volatile sig_atomic_t stopped;

static void note_stop(int signal) {
    (void)signal;
    stopped = 1;
}

// Without SA_RESTART, so that a signal ends a wait in progress.
static bool catch_stops(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = note_stop};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (sigaction(signals[i], &action, NULL) == 0) continue;
        missing_error("cannot catch signal %d: %s", signals[i], strerror(errno));
        return false;
    }
    return true;
}

static bool is_for_stdout(const struct args* args, const char* option) {
    const char* path = args_text(args, option);
    return path != NULL && strcmp(path, "-") == 0;
}

static int check_stdout(const struct args* args) {
    const int count = is_for_stdout(args, "json") + is_for_stdout(args, "csv") + is_for_stdout(args, "markdown");
    if (count > 1)
        return usage_error(
            "only one of --json -, --csv - and --markdown - can have stdout; name a file for the others");
    if (is_for_stdout(args, "html"))
        return usage_error("--html needs the name of a file; the page cannot go to stdout");
    return STATUS_OK;
}

// Checks before the work starts that the file can be written.
static bool is_writable(const char* path) {
    if (path == NULL || strcmp(path, "-") == 0) return true;
    bool was_there = access(path, F_OK) == 0;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
        missing_error("cannot write %s: %s", path, strerror(errno));
        return false;
    }
    close(file);
    if (!was_there) unlink(path);
    return true;
}

static bool are_writable(const struct args* args) {
    static const char* const options[] = {"json", "csv", "markdown", "html"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (!is_writable(args_text(args, options[i]))) return false;
    return result_path(args, "compare", ".json", path, sizeof path);
}

static bool write_csv(FILE* file, const void* document) {
    table_print_csv(file, document);
    return true;
}

static bool write_markdown(FILE* file, const void* document) {
    table_print(file, document, TABLE_MARKDOWN);
    return true;
}

static bool write_file(const struct args* args, const char* option, save_writer write, const json_t* document) {
    const char* path = args_text(args, option);
    const bool to_stdout = is_for_stdout(args, option);
    if (path == NULL) return true;
    if (to_stdout ? write(stdout, document) && fflush(stdout) == 0 : save_file(path, write, document)) return true;
    missing_error("cannot write %s: %s", to_stdout ? "to stdout" : path, strerror(errno));
    return false;
}

// False after a message, else `path` says where the page is.
static bool save_page(const struct args* args, const json_t* document, char* path, size_t size) {
    const char* wanted = args_text(args, "html");
    if (wanted != NULL)
        snprintf(path, size, "%s", wanted);
    else if (!result_path(args, "compare", ".html", path, size))
        return false;
    return page_save(path, document);
}

static enum table_style style_of(FILE* out) {
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool plain = isatty(fileno(out)) != 1 || (no_colour != NULL && *no_colour != '\0') ||
                 (terminal != NULL && strcmp(terminal, "dumb") == 0);
    return plain ? TABLE_PLAIN : TABLE_COLOURED;
}

static bool has_failures(const struct comparison* comparison) {
    for (size_t i = 0; i < comparison->row_count; i++)
        for (size_t j = 0; j < comparison->subject_count; j++)
            if (comparison->rows[i].cells[j]->failed > 0) return true;
    return false;
}

// Writes everything that can be written, even if a part fails.
// An interval within the limit is too much, too, if it claims a difference and nobody has allowed one.
static void tell_noise(const struct comparison* comparison) {
    const struct estimate* estimate = &comparison->aa.estimate;
    const double most = 100 * comparison->noise, apart = 100 * (fmax(estimate->high, 1 / estimate->low) - 1);
    char reason[128];
    if (apart > most)
        snprintf(reason, sizeof reason, "may differ by %.2g %%, and the limit is %g %%", apart, most);
    else
        snprintf(reason, sizeof reason, "differ by %.2g %%, and not by chance", 100 * fabs(estimate->ratio - 1));
    missing_error(
        "too noisy: under %s, two halves of the runs of one workload, pair, %s, so nothing was compared; try again "
        "when the machine is quiet, or use --pin, or allow more with --noise PERCENT",
        comparison->subjects[comparison->baseline].name, reason);
}

static int conclude(const struct args* args, struct comparison* comparison, int status) {
    char page[PATH_MAX];
    FILE* out = is_for_stdout(args, "csv") || is_for_stdout(args, "markdown") ? stderr : result_stream(args);
    verdicts_make(comparison);
    json_t* document = document_new(args, comparison, status);
    if (comparison->earlier != NULL && status == STATUS_OK)
        json_object_set_new(document, "earlier",
                            earlier_compare(document, comparison->earlier, comparison->earlier_file, comparison->gate,
                                            comparison->seed));
    const json_t* earlier = json_object_get(document, "earlier");
    const bool lost = json_get_whole(earlier, "losses") > 0;
    table_print(out, document, style_of(out));
    if (earlier != NULL) earlier_print(earlier, out);
    bool saved = result_save(args, "compare", document);
    saved = write_file(args, "csv", write_csv, document) && saved;
    saved = write_file(args, "markdown", write_markdown, document) && saved;
    if (save_page(args, document, page, sizeof page))
        fprintf(out, "\npage: %s\n", page);
    else
        saved = false;
    json_decref(document);
    if (status == STATUS_UNTRUSTED) tell_noise(comparison);
    if (status == STATUS_OK && (lost || has_failures(comparison))) status = STATUS_FAULT;
    return saved ? status : (status == STATUS_STOPPED ? status : STATUS_MISSING);
}

// A percentage, also with the sign: "3" and "3%".
static int take_gate(const struct args* args, struct comparison* comparison) {
    const char* text = args_text(args, "gate");
    char* end;
    comparison->gate = -1;
    if (text == NULL) return STATUS_OK;
    double percent = strtod(text, &end);
    if (end == text || (*end != '\0' && strcmp(end, "%") != 0) || !(percent >= 0 && percent < 100))
        return usage_error("--gate takes a percentage from 0 to 99, not '%s'", text);
    if (comparison->earlier == NULL) return usage_error("--gate needs an earlier run: --baseline FILE.json");
    comparison->gate = percent / 100;
    return STATUS_OK;
}

static int take_baselines(const struct args* args, struct comparison* comparison) {
    const char* name;
    for (size_t i = 0; (name = args_given(args, "baseline", i)) != NULL; i++) {
        const char** place = earlier_is_file(name) ? &comparison->earlier_file : &comparison->baseline_name;
        if (*place != NULL) return usage_error("--baseline was given twice: %s and %s", *place, name);
        *place = name;
    }
    if (comparison->earlier_file != NULL) {
        comparison->earlier = earlier_load(comparison->earlier_file);
        if (comparison->earlier == NULL) return STATUS_USAGE;
        const char* then = json_get_text_or(comparison->earlier, "baseline", "");
        if (comparison->baseline_name == NULL) comparison->baseline_name = then;
        if (strcmp(comparison->baseline_name, then) != 0)
            return usage_error("%s was measured against %s, so --baseline cannot be %s", comparison->earlier_file, then,
                               comparison->baseline_name);
    }
    if (comparison->baseline_name == NULL) {
        name = args_text(args, "baseline");
        comparison->baseline_name = name;
    }
    return take_gate(args, comparison);
}

static int take_shell_commands(const struct args* args, struct comparison* comparison) {
    comparison->prepare = args_text(args, "prepare");
    comparison->cleanup = args_text(args, "cleanup");
    if ((comparison->prepare == NULL && comparison->cleanup == NULL) || args->rest_count > 0) return STATUS_OK;
    return usage_error("--prepare and --cleanup are for a command of yours: hakstress compare [OPTIONS] -- COMMAND");
}

static int prepare(const struct args* args, struct comparison* comparison) {
    comparison->stopped = &stopped;
    int status = check_stdout(args);
    if (status == STATUS_OK) status = take_baselines(args, comparison);
    if (status == STATUS_OK) status = take_shell_commands(args, comparison);
    if (status == STATUS_OK) status = subjects_take(args, comparison);
    if (status == STATUS_OK) status = plan_take(args, comparison);
    if (status != STATUS_OK) return status;
    bool ready = are_writable(args) && worker_beside("hakstress-worker", comparison->worker, PATH_MAX) &&
                 worker_beside("hakstress-launcher", comparison->launcher, PATH_MAX) && catch_stops();
    return ready ? STATUS_OK : STATUS_MISSING;
}

static int run(const struct args* args) {
    static struct comparison comparison;
    comparison.args = args;
    int status = prepare(args, &comparison);
    if (status == STATUS_OK) {
        status = measure_all(&comparison);
        if (status != STATUS_MISSING) status = conclude(args, &comparison, status);
    }
    json_decref(comparison.earlier);
    plan_free(&comparison);
    subjects_free(&comparison);
    return status;
}

const struct command command_compare = {
    .name = "compare",
    .synopsis = "[WORKLOAD...] [-- COMMAND [ARGUMENT...]]",
    .summary = "compare allocators on workloads, or on your own command, with statistics",
    .examples = "hakstress compare                             # all allocators found, in under five minutes\n"
                "hakstress compare larson --threads 2 --pin\n"
                "hakstress compare --allocators glibc,hakmem -- gcc -O2 -c big.c\n"
                "hakstress compare --sweep threads=1..4*2 larson\n"
                "hakstress compare --sweep n=1,9 -- xz -{n} -k -c big.tar\n"
                "hakstress compare --allocator hakmem,HAKMEM_TINY_USE_SUPERSLAB=0 larson mstress\n"
                "hakstress compare --allocator mine=./libmine.so,MINE_OPTION=1 --baseline jemalloc pair\n",
    .notes = compare_notes,
    .options = compare_options,
    .takes_variables = true,
    .explain_option = hint_for_option,
    .run = run,
};
