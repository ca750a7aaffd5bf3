// hakstress-explore: one worker of hakstress explore. Its lines on stdout are for its supervisor, cli/explore/worker.c:
//
//   result scenario=NAME schedules=N pruned=N ends=N complete=0|1 bound=N seconds=S words=HASH steps=MASK weakened=N
//   fault scenario=NAME check=NAME schedules=N switches=N replayed=N/N replay=STRING
//   text WHAT IT WAS
//   item 0|1 NAME           with --coverage: of what steps.def and outcomes.def have, whether it was reached so far
//   end HASH                with --ends, for a test: each state in which runs have ended
//   position WHERE THE EXHAUSTIVE SEARCH STANDS
//   learned WORDS AND LINES     if the scenario is divided: what its exhaustive search knows of them at its end
//   replay check=NAME same=N/N
//
// usage: hakstress-explore FILE|random-N... [OPTIONS]
//        hakstress-explore --replay STRING [--times N] [--force] [FILES] FILE|random-N
//        hakstress-explore --minimise STRING [--seconds S] [--force] [FILES] FILE|random-N
//        FILES: --story FILE, --story-json FILE, --story-html FILE; --story-file FILE: the scenario's, to tell there
// Exit status: 0 fine, 1 a fault, 2 wrong usage or a bad scenario, 3 something is missing
#include "again/again.h"
#include "minimise/minimise.h"
#include "record/build.h"
#include "record/event.h"
#include "run/ends.h"
#include "run/monitor.h"
#include "runtime/coverage.h"
#include "runtime/limit.h"
#include "runtime/names.h"
#include "runtime/steps.h"
#include "runtime/weaken.h"
#include "search/campaign.h"
#include "search/search.h"
#include "tell/save.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE = PATH_MAX + 512, STRING_MOST = 65536 };

typedef struct {
    Campaign campaign;
    bool preemptions_given, stale_given;
    const char *replay, *minimise;
    uint32_t times;
    bool force, events, coverage, ends;
    StoryFiles story;
    const char* file;  // for the story: what the user has to name
} Options;

// --- the command line

static const struct option long_options[] = {
    {"strategy", required_argument, NULL, 's'},
    {"preemptions", required_argument, NULL, 'p'},
    {"stale", required_argument, NULL, 'l'},
    {"seconds", required_argument, NULL, 't'},
    {"schedules", required_argument, NULL, 'n'},
    {"changes", required_argument, NULL, 'c'},
    {"weaken", required_argument, NULL, 'w'},
    {"seed", required_argument, NULL, 'r'},
    {"shard", required_argument, NULL, 'i'},
    {"replay", required_argument, NULL, 'R'},
    {"times", required_argument, NULL, 'T'},
    {"force", no_argument, NULL, 'f'},
    {"position", required_argument, NULL, 'a'},
    {"learned", required_argument, NULL, 'k'},
    {"build", no_argument, NULL, 'b'},
    {"minimise", required_argument, NULL, 'm'},
    {"follow", no_argument, NULL, 'F'},
    {"story", required_argument, NULL, 'S'},
    {"story-json", required_argument, NULL, 'J'},
    {"story-html", required_argument, NULL, 'H'},
    {"story-file", required_argument, NULL, 'N'},
    {"events", no_argument, NULL, 'e'},
    {"every-prefix", no_argument, NULL, 'P'},
    {"coverage", no_argument, NULL, 'v'},
    {"ends", no_argument, NULL, 'E'},
    {"places", no_argument, NULL, 'L'},
    {"silent", no_argument, NULL, 'q'},
    {NULL, 0, NULL, 0},
};

static bool silent;  // another worker says what is wrong

static bool set_strategy(Campaign* c, const char* name) {
    bool all = strcmp(name, "all") == 0;
    c->exhaustive = all || strcmp(name, "exhaustive") == 0;
    c->pct = all || strcmp(name, "pct") == 0;
    c->random = all || strcmp(name, "random") == 0;
    return c->exhaustive || c->pct || c->random;
}

static bool set_option(Options* o, int option, const char* value) {
    Campaign* c = &o->campaign;
    unsigned long number = value ? strtoul(value, NULL, 10) : 0;
    switch (option) {
    case 's': return set_strategy(c, value);
    case 'p': c->preemptions = (uint32_t)number, o->preemptions_given = true; return true;
    case 'l': c->stale = c->stale_by_chance = (uint32_t)number, o->stale_given = true; return true;
    case 't': c->seconds = strtod(value, NULL); return true;
    case 'n': c->schedules = number; return true;
    case 'c': c->changes = value; return true;
    case 'w': c->weaken = value; return weaken_set(value);
    case 'r': c->seed = strtoull(value, NULL, 10); return true;
    case 'i': return sscanf(value, "%u/%u", &c->shard, &c->shards) == 2 && c->shard < c->shards;
    case 'R': o->replay = value; return true;
    case 'T': o->times = (uint32_t)number; return true;
    case 'a': c->position = value; return true;
    case 'k': c->learned = value; return true;
    case 'P': c->every_prefix = true; return true;
    case 'e': o->events = true; return true;
    case 'f': o->force = true; return true;
    case 'm': o->minimise = value; return true;
    case 'F': c->follow = true; return true;
    case 'S': o->story.text = value; return true;
    case 'J': o->story.json = value; return true;
    case 'H': o->story.html = value; return true;
    case 'N': o->file = value; return true;
    case 'v': o->coverage = true; return true;
    case 'E': o->ends = true; return true;
    case 'q': silent = true; return true;
    default: return false;
    }
}

static bool read_options(int argc, char** argv, Options* o) {
    enum { STALE_BY_CHANCE = 2 };
    *o = (Options){.campaign = {.stale_by_chance = STALE_BY_CHANCE, .changes = "all", .weaken = "", .seed = 1},
                   .times = 1};
    set_strategy(&o->campaign, "all");
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'b') {
            printf("build %s\n", explored_build);
            exit(0);
        }
        if (option == 'L') {
            for (unsigned i = 0; i < weaken_count(); i++) printf("place %s\n", weaken_name(i));
            exit(0);
        }
        if (!set_option(o, option, optarg)) return false;
    }
    return optind < argc;
}

// --- scenarios

static bool read_scenario(const char* name, Scenario* scenario, char* message) {
    static const char prefix[] = "random-";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
        scenario_random(strtoull(name + sizeof prefix - 1, NULL, 10), scenario);
        return true;
    }
    return scenario_read(name, scenario, message, MESSAGE);
}

static int bad(const char* message) {
    if (!silent) fprintf(stderr, "hakstress-explore: %s\n", message);
    return 2;
}

// --- exploring

static uint64_t steps_mask(void) {
    uint64_t mask = 0;
    for (unsigned s = 0; s < HAK_STEP_COUNT; s++) mask |= (uint64_t)(steps_reached[s] != 0) << s;
    return mask;
}

// In the same order in each worker.
static void print_coverage(void) {
    char name[64];
    for (unsigned item = 0; item < coverage_count(); item++) {
        coverage_name(item, name, sizeof name);
        if (name[0]) printf("item %d %s\n", coverage_has(item), name);
    }
}

static void print_end(Hash end) {
    printf("end %016lx%016lx\n", (unsigned long)end.high, (unsigned long)end.low);
}

static void print_fault(const Campaign* c, const CampaignResult* r) {
    static char string[STRING_MOST];
    replay_format(&r->replay, string, sizeof string);
    printf("fault scenario=%s check=%s schedules=%lu switches=%u replayed=%u/%u replay=%s\ntext %s\n",
           c->scenario->name, r->check, (unsigned long)r->schedules, schedule_switches(&r->replay.schedule),
           r->replayed, REPLAYS, string, r->text);
}

static int explore_one(const Options* o, const char* name) {
    static Scenario scenario;
    static CampaignResult result;
    char message[MESSAGE];
    if (!read_scenario(name, &scenario, message)) return bad(message);
    Campaign c = o->campaign;
    c.scenario = &scenario;
    if (!o->preemptions_given) c.preemptions = scenario.preemptions;
    if (!o->stale_given) c.stale = scenario.stale;
    monitor_begin(&scenario, c.changes, c.weaken, c.follow);
    if (!campaign(&c, &result, message, sizeof message)) return bad(message);
    if (run_limit && !silent)
        fprintf(stderr, "hakstress-explore: %s is not explored completely: %s\n", scenario.name, run_limit);
    if (result.fault) print_fault(&c, &result);
    if (result.has_position) printf("position %s\n", result.position);
    if (result.learned[0]) printf("learned %s\n", result.learned);
    printf("result scenario=%s schedules=%lu pruned=%lu ends=%lu complete=%d bound=%u seconds=%.2f words=%016lx "
           "steps=%016lx weakened=%lu\n",
           scenario.name, (unsigned long)result.schedules, (unsigned long)result.pruned, (unsigned long)result.ends,
           result.complete, result.bound, result.seconds, (unsigned long)result.words, (unsigned long)steps_mask(),
           (unsigned long)weakened);
    if (o->coverage) print_coverage();
    if (o->ends) ends_each(print_end);
    fflush(stdout);
    return result.fault;
}

// --- replaying

// Whether the string is of this scenario as it is. A text that the string does not have fits any.
static bool is_of_scenario(const Options* o, Replay* wanted, const Scenario* scenario, char message[MESSAGE]) {
    char text[TEXT_HASH + 1];
    scenario_hash(scenario, text);
    const bool same = wanted->text[0] == '\0' || strcmp(wanted->text, text) == 0;
    memcpy(wanted->text, text, sizeof text);
    if (same || o->force) return true;
    snprintf(message, MESSAGE, "scenario %s has changed since the schedule was found; --force runs it all the same",
             scenario->name);
    return false;
}

static unsigned last_thread(const Schedule* schedule) {
    unsigned last = schedule->first;
    for (uint32_t i = 0; i < schedule->count; i++) {
        const Deviation* d = &schedule->at[i];
        if (d->thread > last) last = d->thread;
        if (d->kind == CHOOSE_THREAD && d->value > last) last = d->value;
    }
    return last;
}

// Reads a string and its scenario. false: after a message.
static bool read_replay(const Options* o, const char* text, const char* name, Replay* wanted, Scenario* scenario) {
    char message[MESSAGE];
    const char *at, *expected;
    if (!replay_parse(text, wanted, &at, &expected)) {
        snprintf(message, sizeof message, "expected %s at '%.40s'", expected, at);
        return bad(message) == 0;
    }
    if (strcmp(wanted->build, explored_build) != 0 && !o->force) {
        snprintf(message, sizeof message, "the schedule is of build %s, and this is %s; --force runs it all the same",
                 wanted->build, explored_build);
        return bad(message) == 0;
    }
    snprintf(wanted->build, sizeof wanted->build, "%s", explored_build);
    if (!read_scenario(name, scenario, message)) return bad(message) == 0;
    if (strcmp(wanted->scenario, scenario->name) != 0) {
        snprintf(message, sizeof message, "the schedule is of scenario %s, and %s is another one", wanted->scenario,
                 name);
        return bad(message) == 0;
    }
    const unsigned last = last_thread(&wanted->schedule);
    if (last < scenario->thread_count) return is_of_scenario(o, wanted, scenario, message) || bad(message) == 0;
    snprintf(message, sizeof message, "%s has no thread %c", scenario->name, 'A' + last);
    return bad(message) == 0;
}

// Of a schedule that somebody has written: one that was found has a trace, and is compared with that.
static int tell_missed(void) {
    char message[MESSAGE];
    const Deviation* missed = search_replay_missed();
    snprintf(message, sizeof message, "thread %c does not come to moment %u, or cannot do there what the schedule says",
             'A' + missed->thread, missed->moment);
    return bad(message);
}

// A story that cannot be written takes nothing from the fault.
static void tell(const Options* o, const Replay* replay, const Scenario* whole) {
    static Story story;
    char message[MESSAGE];
    if (!story_is_wanted(&o->story)) return;
    story.file = o->file;
    if (story_tell(replay, whole, &story, message, sizeof message))
        story_save(&story, &o->story);
    else
        bad(message);
}

static const char* const kinds[] = {"load", "store", "update", "refused", "fence", "step", "call",  "return",
                                    "wait", "go on", "system", "switch",  "fork",  "end",  "fault", "access"};

static void print_event(const Event* e) {
    char name[128];
    memory_name((const void*)(uintptr_t)e->address, name, sizeof name);
    printf("event %c %u %s step=%s other=%u stale=%u order=%u before=%#lx value=%#lx site=%p %s\n", 'A' + e->thread,
           e->moment, kinds[e->kind], step_name(e->step), e->other, e->stale, e->order, (unsigned long)e->before,
           (unsigned long)e->value, e->site, name);
}

static void print_events(void) {
    uint32_t count = recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
    for (uint32_t i = 0; i < count; i++) print_event(&recording.at[i]);
}

static int replay(const Options* o, const char* name) {
    static Scenario scenario;
    static Replay wanted;
    char message[MESSAGE];
    if (!read_replay(o, o->replay, name, &wanted, &scenario)) return 2;
    monitor_begin(&scenario, wanted.changes, wanted.weaken, wanted.follow);
    if (!again_prepare(&wanted, &scenario, message, sizeof message)) return bad(message);
    if (o->events) recording_start();
    const bool is_found = wanted.has_trace;
    uint32_t same = campaign_replay(&wanted, scenario.failures, o->times);
    if (o->events) print_events();
    const bool fault = run.check[0] != '\0';
    if (!fault && !is_found && search_replay_missed()) return tell_missed();
    printf("replay check=%s same=%u/%u\ntext %s\n", fault ? run.check : "none", same, o->times, run.text);
    fflush(stdout);
    tell(o, &wanted, &scenario);
    return fault;
}

// --- making short

static int shorten(const Options* o, const char* name) {
    enum { SECONDS = 30 };
    static Scenario scenario;
    static CampaignResult result;
    MinimiseLimits limits = {.seconds = o->campaign.seconds > 0 ? o->campaign.seconds : SECONDS, .runs = UINT64_MAX};
    Replay* shorter = &result.replay;
    if (!read_replay(o, o->minimise, name, shorter, &scenario)) return 2;
    monitor_begin(&scenario, shorter->changes, shorter->weaken, shorter->follow);
    if (!minimise(shorter, &scenario, &limits)) return bad("the schedule does not end in a fault");
    result.schedules = goal_runs();
    snprintf(result.check, sizeof result.check, "%s", run.check);
    snprintf(result.text, sizeof result.text, "%s", run.text);
    result.replayed = campaign_replay(shorter, scenario.failures, REPLAYS);
    if (run.check[0] == '\0') result.replayed = 0;
    Campaign c = {.scenario = &scenario};
    print_fault(&c, &result);
    fflush(stdout);
    tell(o, shorter, &scenario);
    return 1;
}

static void on_stop(int signal) {
    (void)signal;
    campaign_stop = 1;
}

static int work(int argc, char** argv) {
    Options o = {0};
    if (!read_options(argc, argv, &o)) return bad("wrong usage");
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    run_start();
    if (o.replay) return replay(&o, argv[optind]);
    if (o.minimise) return shorten(&o, argv[optind]);
    int status = 0;
    for (int i = optind; i < argc && status == 0 && !campaign_stop; i++) status = explore_one(&o, argv[i]);
    return status;
}

int main(int argc, char** argv) {
    int status = monitor_run(work, argc, argv);
    fflush(stdout);
    // Not exit(): the allocator's own handlers would run on whatever the last run left.
    _exit(status);
}
