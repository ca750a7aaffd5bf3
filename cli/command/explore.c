#include "args/args.h"
#include "args/command.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/json.h"
#include "command/commands.h"
#include "config/options.h"
#include "explore/coverage.h"
#include "explore/resume.h"
#include "explore/search.h"
#include "explore/tell.h"
#include "explore/weaken.h"
#include "observe/steps.h"
#include "results/results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct option_spec explore_options[] = {
    {"strategy", "exhaustive|pct|random|all", NULL, "all", "how schedules are chosen"},
    {"preemptions", "N", NULL, NULL, "exhaustive: most preemptions; none: no bound; default: what each scenario says"},
    {"stale", "N", NULL, NULL, "most loads that read an older store; default: what each scenario says; by chance: 2"},
    {"seconds", "S", NULL, NULL, "stop after that time; default: when everything within the bounds is explored"},
    {"schedules", "N", NULL, NULL, "most schedules of each strategy and scenario"},
    {"changes", "LIST", NULL, "all", "which of the six changes are in: all, none, or a list such as 1-2,6"},
    {"weaken", NULL, NULL, NULL, "explore once for each memory order of the protocol, a notch weaker"},
    {"coverage", NULL, NULL, NULL, "tell which steps, branches and pairs of steps were covered"},
    {"jobs", "N", NULL, NULL, "processes at a time; default: one for each processor"},
    {"shard", "I/N", NULL, "0/1", "explore part I of N, from 0: for many machines"},
    {"resume", "FILE", NULL, NULL, "exhaustive: remember there what is done, and go on from it"},
    {"follow", NULL, NULL, NULL, "go on past data races and damage, to the crash at 0x6261"},
    {"replay", "STRING", NULL, NULL, "repeat one schedule: SCENARIO@BUILD:SCHEDULE"},
    {"times", "N", NULL, NULL, "with --replay: how often, each time in a new process; default: once"},
    {"minimise", "STRING", NULL, NULL, "make a schedule that ends in a fault as short as possible"},
    {"force", NULL, NULL, NULL, "with --replay and --minimise: also if the schedule is of another build"},
    {"html", "FILE", NULL, NULL, "write the story of a fault there, as a page"},
    {.name = NULL},
};

enum { WORDS_MOST = 24, WORD = 128, TEXT = 4096 };

struct explore {
    const struct args* args;
    struct explore_search search;
    struct scenario_file scenarios[EXPLORE_SCENARIOS_MOST];
    char program[PATH_MAX];
    char word[WORDS_MOST][WORD];
    char* arguments[WORDS_MOST + 1];
    size_t words;
    uint64_t seed;
};

static volatile sig_atomic_t stopped;

static void note_stop(int signal) {
    (void)signal;
    stopped = 1;
}

static void catch_stops(void) {
    struct sigaction action = {.sa_handler = note_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

// --- the command line

static void pass_on(struct explore* e, const char* option, const char* value) {
    if (value == NULL || e->words == WORDS_MOST) return;
    snprintf(e->word[e->words], WORD, "--%s=%s", option, value);
    e->arguments[e->words] = e->word[e->words];
    e->arguments[++e->words] = NULL;
}

static void pass_flag(struct explore* e, const char* option) {
    if (!args_is_set(e->args, option) || e->words == WORDS_MOST) return;
    snprintf(e->word[e->words], WORD, "--%s", option);
    e->arguments[e->words] = e->word[e->words];
    e->arguments[++e->words] = NULL;
}

static bool read_strategy(struct explore* e) {
    static const char* const names[] = {"exhaustive", "pct", "random", "all"};
    const char* strategy = args_text(e->args, "strategy");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], strategy) == 0) {
            pass_on(e, "strategy", strategy);
            return true;
        }
    usage_error("--strategy is exhaustive, pct, random or all, not '%s'", strategy);
    return false;
}

// The option's number, which workers get as it is; not set: they choose.
static bool pass_number(struct explore* e, const char* option, uint64_t min, uint64_t max) {
    uint64_t value;
    if (!args_is_set(e->args, option)) return true;
    if (!args_number(e->args, option, min, max, &value)) return false;
    pass_on(e, option, args_text(e->args, option));
    return true;
}

static bool read_preemptions(struct explore* e) {
    const char* text = args_text(e->args, "preemptions");
    if (text == NULL || strcmp(text, "none") != 0) return pass_number(e, "preemptions", 0, 200);
    pass_on(e, "preemptions", "1000");
    return true;
}

// The search divides them.
static bool read_schedules(struct explore* e) {
    return !args_is_set(e->args, "schedules") || args_number(e->args, "schedules", 1, INT64_MAX, &e->search.schedules);
}

static bool read_changes(struct explore* e) {
    static const char option[] = "HAKMEM_CHANGES";
    const char* changes = args_text(e->args, "changes");
    if (!hak_option_accepts(hak_option_named(option, sizeof option - 1), changes)) {
        usage_error("--changes is all, none, or a list such as 1-2,6, not '%s'", changes);
        return false;
    }
    pass_on(e, "changes", changes);
    return true;
}

static bool read_limits(struct explore* e) {
    const char* shard = args_text(e->args, "shard");
    char end;
    e->search.jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (args_is_set(e->args, "jobs") && !args_number(e->args, "jobs", 1, 64, &e->search.jobs)) return false;
    if (shard[strspn(shard, "0123456789/")] != '\0' ||
        sscanf(shard, "%" SCNu64 "/%" SCNu64 "%c", &e->search.shard, &e->search.shards, &end) != 2 ||
        e->search.shard >= e->search.shards || e->search.shards > 100000) {
        usage_error("--shard is I/N with I from 0 to N-1, not '%s'", shard);
        return false;
    }
    if (!args_seconds(e->args, "seconds", &e->search.seconds)) return false;
    pass_flag(e, "follow");
    return true;
}

static bool read_seed(struct explore* e) {
    char seed[32];
    e->seed = (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    if (args_is_set(e->args, "seed") && !args_number(e->args, "seed", 0, INT64_MAX, &e->seed)) return false;
    snprintf(seed, sizeof seed, "%" PRIu64, e->seed);
    pass_on(e, "seed", seed);
    return true;
}

static bool read_scenarios(struct explore* e) {
    const int count = e->args->operand_count;
    e->search.scenarios = e->scenarios;
    if (!args_operands_at_most(e->args, EXPLORE_SCENARIOS_MOST)) return false;
    for (int i = 0; i < count; i++)
        if (!scenario_find(e->args->operands[i], &e->scenarios[i])) return false;
    e->search.scenario_count = count > 0 ? (size_t)count : scenarios_all(e->scenarios);
    if (e->search.scenario_count > 0) return true;
    missing_error("there are no scenarios beside hakstress; name a file");
    return false;
}

static bool ask_for_build(const struct explore* e, char out[32]) {
    static struct explore_worker worker;
    char* arguments[] = {(char*)"hakstress-explore", (char*)"--build", NULL};
    if (!explore_worker_run(&worker, e->program, arguments, &stopped)) return false;
    snprintf(out, 32, "%s", worker.build);
    if (worker.build[0] == '\0' && !stopped) missing_error("%s does not tell its build", e->program);
    return worker.build[0] != '\0';
}

// What a file of --resume belongs to. The texts of the scenarios are in its lines.
static bool open_resume(struct explore* e) {
    char question[TEXT], build[32];
    e->search.resume = args_text(e->args, "resume");
    if (e->search.resume == NULL) return true;
    if (!ask_for_build(e, build)) return false;
    size_t used = (size_t)snprintf(question, sizeof question,
                                   "hakstress explore, build %s, parts %" PRIu64 ", shard %" PRIu64 "/%" PRIu64, build,
                                   explore_parts(&e->search), e->search.shard, e->search.shards);
    for (size_t i = 0; i < e->words && used < sizeof question; i++)
        used += (size_t)snprintf(question + used, sizeof question - used, " %s", e->arguments[i]);
    return resume_open(e->search.resume, question);
}

static bool can_write_page(const struct explore* e) {
    const char* html = args_text(e->args, "html");
    if (html == NULL || result_can_write(html)) return true;
    usage_error("cannot write --html %s: %s", html, strerror(errno));
    return false;
}

// What a call does. The first of the options that name one decides.
enum { SEARCH = 1, WEAKEN = 2, REPLAY = 4, MINIMISE = 8 };

static const struct mode {
    unsigned mode;
    const char* option;  // NULL: without any of the others
} modes[] = {{REPLAY, "replay"}, {MINIMISE, "minimise"}, {WEAKEN, "weaken"}, {SEARCH, NULL}};

// An option of another mode would do nothing.
static const struct {
    const char* option;
    unsigned modes;
} option_modes[] = {
    {"strategy", SEARCH | WEAKEN},
    {"preemptions", SEARCH | WEAKEN},
    {"stale", SEARCH | WEAKEN},
    {"seconds", SEARCH | WEAKEN},
    {"schedules", SEARCH | WEAKEN},
    {"changes", SEARCH | WEAKEN},
    {"jobs", SEARCH | WEAKEN},
    {"shard", SEARCH | WEAKEN},
    {"seed", SEARCH | WEAKEN},
    {"follow", SEARCH | WEAKEN},
    {"coverage", SEARCH},
    {"resume", SEARCH},
    {"weaken", WEAKEN},
    {"times", REPLAY},
    {"minimise", MINIMISE},
    {"force", REPLAY | MINIMISE},
    {"html", SEARCH | REPLAY | MINIMISE},
};

static bool is_given(const struct args* args, const char* option) {
    return args_source(args, option) == FROM_COMMAND_LINE;
}

static const struct mode* mode_of(const struct args* args) {
    const struct mode* m = modes;
    while (m->option != NULL && !is_given(args, m->option)) m++;
    return m;
}

static bool belongs(const char* option, unsigned wanted, const struct mode* mode) {
    if (wanted & mode->mode) return true;
    if (mode->option != NULL)
        usage_error("--%s does nothing with --%s; leave one of them out", option, mode->option);
    else
        usage_error("--%s goes with --replay%s", option, wanted & MINIMISE ? " or --minimise" : "");
    return false;
}

// What two options of one mode cannot do together.
static bool fit(const struct args* args) {
    const bool weaken = args_is_set(args, "weaken"), resume = args_is_set(args, "resume");
    if (weaken && strcmp(args_text(args, "changes"), "all") != 0)
        usage_error("--weaken goes with all changes: what is found without one needs no weaker order");
    else if (resume && strcmp(args_text(args, "strategy"), "exhaustive") != 0)
        usage_error("--resume goes with --strategy exhaustive: what is chosen by chance is never done");
    else
        return true;
    return false;
}

static bool belong(const struct args* args) {
    const struct mode* mode = mode_of(args);
    for (size_t i = 0; i < sizeof option_modes / sizeof option_modes[0]; i++)
        if (is_given(args, option_modes[i].option) && !belongs(option_modes[i].option, option_modes[i].modes, mode))
            return false;
    return fit(args);
}

static bool read_plan(struct explore* e) {
    e->search.arguments = e->arguments;
    e->search.stopped = &stopped;
    e->search.quiet = args_is_set(e->args, "quiet");
    pass_flag(e, "coverage");
    return read_strategy(e) && read_preemptions(e) && pass_number(e, "stale", 0, 3) && read_schedules(e) &&
           read_changes(e) && read_limits(e) && read_scenarios(e) && can_write_page(e) && open_resume(e) &&
           read_seed(e);
}

// --- the report of a fault

enum { SHORTEN_SECONDS = 10 };

static bool write_plain_report(const struct explore_fault* fault, const struct scenario_file* scenario,
                               const char* path) {
    FILE* file = fopen(path, "we");
    if (file == NULL) return false;
    fprintf(file,
            "hakstress explore found a fault in scenario %s.\n\n"
            "check:   %s\n"
            "what:    %s\n"
            "found:   after %" PRIu64 " schedules\n"
            "replay:  %s explore --replay '%s'%s%s%s\n"
            "         (repeated %s times with the same events)\n\n",
            fault->scenario, fault->check, fault->text, fault->schedules, result_program(), fault->replay,
            scenario->by_path ? " '" : "", scenario->by_path ? scenario->path : "", scenario->by_path ? "'" : "",
            fault->replayed);
    return fclose(file) == 0;
}

// The fault that is told is the short one. A fault that destroys whoever runs it again is told as it was found.
// STATUS_FAULT, or what else the worker that shortens it ended with.
static int write_report(const struct explore* e, struct explore_outcome* outcome, double seconds, char* path,
                        size_t size, json_t** story) {
    static char replay[EXPLORE_REPLAY_MOST];
    struct explore_fault* fault = &outcome->fault;
    char json[PATH_MAX];
    const uint64_t schedules = fault->schedules;
    if (!result_path(e->args, "explore", ".fault.txt", path, size)) return STATUS_MISSING;
    if (!result_path(e->args, "explore", ".story.json", json, sizeof json)) return STATUS_MISSING;
    snprintf(replay, sizeof replay, "%s", fault->replay);
    const struct explore_wish wish = {.program = e->program,
                                      .replay = replay,
                                      .scenario = &e->scenarios[outcome->at_fault],
                                      .force = args_is_set(e->args, "force"),
                                      .story = {path, json, args_text(e->args, "html")},
                                      .stopped = &stopped};
    const int status = explore_shorten(&wish, seconds, fault);
    if (schedules != 0) fault->schedules = schedules;
    *story = status == STATUS_FAULT ? json_load_file(json, 0, NULL) : NULL;
    unlink(json);
    const bool told = status == STATUS_FAULT && access(path, R_OK) == 0;
    if (!told && fault->check[0] != '\0' && !write_plain_report(fault, wish.scenario, path))
        snprintf(path, size, "none");
    return status;
}

// --- the result

static json_t* scenarios_json(const struct explore* e, const struct explore_outcome* outcome) {
    json_t* list = json_array();
    for (size_t i = 0; i < e->search.scenario_count; i++) {
        const struct explore_scenario_outcome* s = &outcome->scenario[i];
        json_t* one = json_object();
        json_put_text(one, "scenario", e->scenarios[i].name);
        json_put_count(one, "schedules", s->schedules);
        json_put_count(one, "pruned", s->pruned);
        json_put_count(one, "ends", s->ends);
        json_put_bool(one, "complete", s->complete);
        json_put_bool(one, "part_complete", s->part_complete);
        json_put_count(one, "bound", s->bound);
        json_put_hex(one, "words", s->words);
        json_put_real(one, "seconds", s->seconds);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t* fault_json(const struct explore_fault* fault, const char* report, json_t* story) {
    json_t* object = json_object();
    json_put_text(object, "check", fault->check);
    json_put_text(object, "scenario", fault->scenario);
    json_put_text(object, "text", fault->text);
    json_put_text(object, "replay", fault->replay);
    json_put_count(object, "schedules", fault->schedules);
    json_put_count(object, "switches", fault->switches);
    json_put_text(object, "report", report);
    json_object_set_new(object, "story", story ? story : json_null());
    return object;
}

struct last_line {
    char text[EXPLORE_REPLAY_MOST + PATH_MAX + 512];
};

static unsigned covered(uint64_t steps) {
    return (unsigned)__builtin_popcountll(steps);
}

// Its forms are fixed.
static void last_line(struct last_line* line, const struct explore* e, const struct explore_outcome* o, double seconds,
                      enum explore_end end, const char* report) {
    const struct explore_fault* f = &o->fault;
    if (end == EXPLORE_FAULT)
        snprintf(line->text, sizeof line->text,
                 "explore: fault check=%s scenario=%s schedules=%" PRIu64 " switches=%u replay=%s report=%s", f->check,
                 f->scenario, f->schedules, f->switches, f->replay, report);
    else
        snprintf(line->text, sizeof line->text,
                 "explore: %s scenarios=%zu schedules=%" PRIu64 " pruned=%" PRIu64 " complete=%zu of %zu seconds=%.1f "
                 "steps_covered=%u of %u",
                 end == EXPLORE_OK ? "ok" : "stopped", o->done, o->schedules, o->pruned, o->complete,
                 e->search.scenario_count, seconds, covered(o->steps), (unsigned)HAK_STEP_COUNT);
}

static int exit_status(enum explore_end end) {
    switch (end) {
    case EXPLORE_OK: return STATUS_OK;
    case EXPLORE_FAULT: return STATUS_FAULT;
    case EXPLORE_BAD: return STATUS_USAGE;
    case EXPLORE_STOPPED: return STATUS_STOPPED;
    case EXPLORE_MISSING: break;
    }
    return STATUS_MISSING;
}

static int conclude(const struct explore* e, struct explore_outcome* outcome, double seconds, double shorten,
                    enum explore_end end) {
    static struct last_line line;
    char report[PATH_MAX] = "none";
    if (end == EXPLORE_BAD || end == EXPLORE_MISSING) return exit_status(end);
    json_t* story = NULL;
    const int told =
        end == EXPLORE_FAULT ? write_report(e, outcome, shorten, report, sizeof report, &story) : STATUS_OK;
    // A string to minimise that ends in no fault, or is none.
    if (end == EXPLORE_FAULT && outcome->fault.check[0] == '\0') return told;
    last_line(&line, e, outcome, seconds, end, report);
    json_t* result = result_new(e->args, "explore");
    json_put_text(result, "line", line.text);
    json_put_real(result, "seconds", seconds);
    json_put_count(result, "seed", e->seed);
    json_put_count(result, "schedules", outcome->schedules);
    json_object_set_new(result, "scenarios", scenarios_json(e, outcome));
    json_object_set_new(result, "fault",
                        end == EXPLORE_FAULT ? fault_json(&outcome->fault, report, story) : json_null());
    if (args_is_set(e->args, "coverage")) json_object_set_new(result, "coverage", coverage_json());
    const bool saved = result_save(e->args, "explore", result);
    json_decref(result);
    if (end == EXPLORE_FAULT) fprintf(result_stream(e->args), "%s\n", outcome->fault.text);
    if (args_is_set(e->args, "coverage")) coverage_print(result_stream(e->args));
    fprintf(result_stream(e->args), "%s\n", line.text);
    return end == EXPLORE_OK && !saved ? STATUS_MISSING : exit_status(end);
}

// --- replay

// The scenario's file for a replay string.
static bool replayed_scenario(const char* replay, struct scenario_file* file) {
    char name[64];
    size_t length = strcspn(replay, "@");
    // Operations that are left out: "-A2" after the name.
    for (size_t i = 0; i + 2 < length; i++)
        if (replay[i] == '-' && replay[i + 1] >= 'A' && replay[i + 1] <= 'F' && replay[i + 2] >= '1' &&
            replay[i + 2] <= '9')
            length = i;
    snprintf(name, sizeof name, "%.*s", (int)length, replay);
    return scenario_find(name, file);
}

// Its scenario becomes the only one.
static int read_string(struct explore* e, const char* option) {
    const char* replay = args_text(e->args, option);
    if (e->args->operand_count > 1 || strchr(replay, '@') == NULL || strlen(replay) >= EXPLORE_REPLAY_MOST)
        return usage_error("--%s takes SCENARIO@BUILD:SCHEDULE, and perhaps the scenario's file", option);
    if (!can_write_page(e)) return STATUS_USAGE;
    const bool found = e->args->operand_count == 1 ? scenario_find(e->args->operands[0], &e->scenarios[0])
                                                   : replayed_scenario(replay, &e->scenarios[0]);
    e->search.scenarios = e->scenarios;
    e->search.scenario_count = 1;
    return found ? result_check(e->args) : STATUS_USAGE;
}

static int conclude_replay(const struct explore* e, const struct explore_repeats* repeats, uint64_t times,
                           const char* report) {
    FILE* out = result_stream(e->args);
    if (repeats->same < repeats->done)
        fprintf(out, "the events were others than the string's in %" PRIu64 " of the runs\n",
                repeats->done - repeats->same);
    if (repeats->text[0]) fprintf(out, "%s\n", repeats->text);
    fprintf(out, "explore: %s check=%s same=%" PRIu64 " of %" PRIu64 " report=%s\n",
            repeats->done < times ? "stopped" : "replay", repeats->check, repeats->same, repeats->done, report);
    if (repeats->done < times) return STATUS_STOPPED;
    return strcmp(repeats->check, "none") == 0 ? STATUS_OK : STATUS_FAULT;
}

static int replay_run(struct explore* e) {
    static struct explore_repeats repeats;
    uint64_t times = 1;
    char path[PATH_MAX];
    if (args_is_set(e->args, "times") && !args_number(e->args, "times", 1, 1000000, &times)) return STATUS_USAGE;
    int status = read_string(e, "replay");
    if (status != STATUS_OK) return status;
    if (!result_path(e->args, "explore", ".fault.txt", path, sizeof path)) return STATUS_MISSING;
    const struct explore_wish wish = {.program = e->program,
                                      .replay = args_text(e->args, "replay"),
                                      .scenario = &e->scenarios[0],
                                      .force = args_is_set(e->args, "force"),
                                      .story = {path, args_text(e->args, "json"), args_text(e->args, "html")},
                                      .stopped = &stopped};
    explore_repeat(&wish, times, &repeats);
    if (stopped && repeats.done == 0) return STATUS_STOPPED;
    if (stopped) return conclude_replay(e, &repeats, times, path);
    return repeats.status > 1 ? repeats.status : conclude_replay(e, &repeats, times, path);
}

static int minimise_run(struct explore* e) {
    enum { SECONDS = 60 };
    static struct explore_outcome outcome;
    int status = read_string(e, "minimise");
    if (status != STATUS_OK) return status;
    snprintf(outcome.fault.replay, sizeof outcome.fault.replay, "%s", args_text(e->args, "minimise"));
    snprintf(outcome.fault.scenario, sizeof outcome.fault.scenario, "%s", e->scenarios[0].name);
    outcome.has_fault = true;
    return conclude(e, &outcome, 0, SECONDS, EXPLORE_FAULT);
}

// --- weaker orders

static int weaken_run(struct explore* e) {
    static struct weaken_outcome outcome;
    static struct explore_outcome plain;
    char line[96];
    enum explore_end end = weaken_search(&e->search, &e->arguments[e->words], &outcome, &plain);
    size_t needed = 0;
    for (size_t i = 0; i < outcome.tried; i++) needed += outcome.place[i].needed;
    weaken_print(&outcome, result_stream(e->args));
    if (end == EXPLORE_FAULT) return conclude(e, &plain, 0, SHORTEN_SECONDS, end);
    if (end != EXPLORE_OK && end != EXPLORE_STOPPED) return exit_status(end);
    snprintf(line, sizeof line, "explore: %s places=%zu needed=%zu", end == EXPLORE_OK ? "ok" : "stopped",
             outcome.tried, needed);
    json_t* result = result_new(e->args, "explore");
    json_put_text(result, "line", line);
    json_put_count(result, "seed", e->seed);
    json_object_set_new(result, "places", weaken_json(&outcome));
    const bool saved = result_save(e->args, "explore", result);
    json_decref(result);
    fprintf(result_stream(e->args), "%s\n", line);
    return end == EXPLORE_OK && !saved ? STATUS_MISSING : exit_status(end);
}

static int explore_run(const struct args* args) {
    static struct explore e;
    static struct explore_outcome outcome;
    struct timespec start, end;
    e.args = args;
    if (!belong(args)) return STATUS_USAGE;
    if (!worker_beside("hakstress-explore", e.program, sizeof e.program)) return STATUS_MISSING;
    catch_stops();
    if (args_is_set(args, "replay")) return replay_run(&e);
    if (args_is_set(args, "minimise")) return minimise_run(&e);
    e.search.program = e.program;
    if (!read_plan(&e)) return stopped ? STATUS_STOPPED : STATUS_USAGE;
    int status = result_check(args);
    if (status != STATUS_OK) return status;
    fprintf(result_stream(args), "seed: %" PRIu64 "\n", e.seed);
    fflush(result_stream(args));
    if (args_is_set(args, "weaken")) return weaken_run(&e);
    clock_gettime(CLOCK_MONOTONIC, &start);
    enum explore_end how = explore_search(&e.search, &outcome);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return conclude(&e, &outcome, (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
                    SHORTEN_SECONDS, how);
}

const struct command command_explore = {
    .name = "explore",
    .synopsis = "[SCENARIO...]",
    .summary = "run the ownership protocol under a scheduler that tries the orders in which threads may run",
    .examples = "hakstress explore                            # every scenario, completely up to its bounds\n"
                "hakstress explore S3 --preemptions 3         # one scenario, further\n"
                "hakstress explore --seconds 3600 --jobs 8    # an hour on eight processors\n"
                "hakstress explore S1 --changes 1-5           # without change 6: finds the race\n"
                "hakstress explore random-17                  # a random scenario\n"
                "hakstress explore --replay 'S3@1f3a9c2e:B.B9A.A17B' --times 100\n"
                "hakstress explore F1 --follow --changes 1,3-6    # to the crash at 0x6261, and its shortest story\n",
    .notes = "docs/EXPLORE.md says how to write a scenario, and what is explored completely and what is not.\n",
    .options = explore_options,
    .run = explore_run,
};
