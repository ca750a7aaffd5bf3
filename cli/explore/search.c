#include "explore/search.h"

#include "base/error.h"
#include "explore/resume.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { JOBS_MOST = 64, ARGUMENTS_MOST = 64 };

// A scenario, or one of `parts` of it.
struct unit {
    size_t scenario;
    uint64_t part, parts;
};

struct running {
    struct explore_worker* worker;
    struct unit unit;
};

struct state {
    const struct explore_search* search;
    struct explore_outcome* outcome;
    struct running running[JOBS_MOST];
    size_t running_count, next_scenario;
    uint64_t next_part, parts, units_left;
    unsigned round;
    bool grew[EXPLORE_SCENARIOS_MOST];      // in this round: `learned`
    char* learned[EXPLORE_SCENARIOS_MOST];  // by all parts of a scenario together; NULL: nothing yet
    double end_of_time;                     // 0: no limit
    uint64_t unit_at_fault;
    bool resume_is_lost;
    enum explore_end end;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// --- units

// One scenario alone is divided among the jobs.
uint64_t explore_parts(const struct explore_search* search) {
    return search->scenario_count < search->jobs ? (search->jobs + search->scenario_count - 1) / search->scenario_count
                                                 : 1;
}

// --- workers

enum { OPTION = 64, LEARNED = EXPLORE_REPLAY_MOST + 16 };

struct words {
    char* argument[ARGUMENTS_MOST];
    size_t count;
    char shard[OPTION], seconds[OPTION], schedules[OPTION], position[LEARNED], learned[LEARNED];
};

static void add(struct words* words, char* word) {
    words->argument[words->count++] = word;
    words->argument[words->count] = NULL;
}

// The time that is left is shared by the units that are to be explored.
static void add_seconds(struct words* words, const struct state* state) {
    if (state->end_of_time == 0) return;
    const double units = (double)state->units_left, jobs = (double)state->search->jobs;
    double share = (state->end_of_time - now()) * (units < jobs ? units : jobs) / units;
    if (share < 0.001) share = 0.001;
    snprintf(words->seconds, sizeof words->seconds, "--seconds=%.3f", share);
    add(words, words->seconds);
}

// So are the schedules of a scenario by its parts.
static void add_schedules(struct words* words, const struct explore_search* search, const struct unit* unit) {
    if (search->schedules == 0) return;
    const uint64_t share = search->schedules / unit->parts + (unit->part < search->schedules % unit->parts);
    snprintf(words->schedules, sizeof words->schedules, "--schedules=%" PRIu64, share ? share : 1);
    add(words, words->schedules);
}

static void resume_part_of(const struct state* state, const struct unit* unit, char key[SCENARIO_KEY],
                           struct resume_part* part) {
    scenario_key(&state->search->scenarios[unit->scenario], key, SCENARIO_KEY);
    *part = (struct resume_part){key, unit->part};
}

static void add_position(struct words* words, const struct state* state, const struct unit* unit) {
    enum { NAME = sizeof "--position=" - 1 };
    char key[SCENARIO_KEY];
    struct resume_part part;
    struct explore_result unused;
    resume_part_of(state, unit, key, &part);
    memcpy(words->position, "--position=", NAME);
    if (resume_read(state->search->resume, &part, &unused, words->position + NAME) == RESUME_AT)
        add(words, words->position);
}

// In a later round the parts know what all have learned. What is searched by chance needs no other round.
static void add_learned(struct words* words, const struct state* state, const struct unit* unit) {
    if (state->round == 0) return;
    const char* learned = state->learned[unit->scenario];
    add(words, (char*)"--strategy=exhaustive");
    snprintf(words->learned, sizeof words->learned, "--learned=%s", learned ? learned : "");
    add(words, words->learned);
}

static void make_words(struct words* words, const struct state* state, const struct unit* unit) {
    const struct explore_search* search = state->search;
    words->count = 0;
    add(words, (char*)"hakstress-explore");
    for (size_t i = 0; search->arguments[i] != NULL && words->count < ARGUMENTS_MOST - 8; i++)
        add(words, search->arguments[i]);
    snprintf(words->shard, sizeof words->shard, "--shard=%" PRIu64 "/%" PRIu64,
             search->shard * unit->parts + unit->part, search->shards * unit->parts);
    add(words, words->shard);
    add_seconds(words, state);
    add_schedules(words, search, unit);
    add_position(words, state, unit);
    add_learned(words, state, unit);
    // What is wrong with a scenario is said once.
    if (unit->part > 0) add(words, (char*)"--silent");
    add(words, (char*)search->scenarios[unit->scenario].path);
}

static bool start(struct state* state, const struct unit* unit) {
    static struct words words;
    struct running* running = &state->running[state->running_count];
    make_words(&words, state, unit);
    state->units_left--;
    running->unit = *unit;
    running->worker = malloc(sizeof *running->worker);
    if (running->worker == NULL || !explore_worker_start(running->worker, state->search->program, words.argument)) {
        free(running->worker);
        return false;
    }
    state->running_count++;
    return true;
}

static uint64_t number_of(const struct unit* unit) {
    return unit->scenario * unit->parts + unit->part;
}

// Those of the units from a number on.
static void stop_from(const struct state* state, uint64_t first) {
    for (size_t i = 0; i < state->running_count; i++)
        if (number_of(&state->running[i].unit) >= first) kill(state->running[i].worker->pid, SIGTERM);
}

// --- results

static bool is_complete(const struct explore_scenario_outcome* s) {
    return s->complete && !s->differs && s->parts_done == s->parts;
}

static const char* in_words(const struct explore_search* search, const struct explore_scenario_outcome* s) {
    if (is_complete(s)) return search->shards > 1 ? ", this part of it completely" : ", complete";
    return s->complete && s->differs ? ", but its parts have learned different words" : "";
}

static void tell(const struct state* state, size_t scenario) {
    const struct explore_scenario_outcome* s = &state->outcome->scenario[scenario];
    if (state->search->quiet) return;
    fprintf(stderr, "%-24s %9" PRIu64 " schedules %8.2f s%s\n", state->search->scenarios[scenario].name, s->schedules,
            s->seconds, in_words(state->search, s));
}

static void add_result(struct state* state, const struct unit* unit, const struct explore_result* result) {
    struct explore_scenario_outcome* s = &state->outcome->scenario[unit->scenario];
    s->schedules += result->schedules;
    s->pruned += result->pruned;
    s->ends += result->ends;
    s->differs |= s->parts_done > 0 && s->words != result->words;
    s->complete = (s->parts_done == 0 || s->complete) && result->complete;
    s->words = result->words;
    s->bound = result->bound;
    s->parts = (unsigned)unit->parts;
    s->parts_done++;
    if (result->seconds > s->seconds) s->seconds = result->seconds;
    s->steps |= result->steps;
    state->outcome->steps |= result->steps;
    state->outcome->weakened += result->weakened;
    if (s->parts_done == s->parts) tell(state, unit->scenario);
}

// The words are separated by '+'.
static bool has_word(const char* set, const char* word, size_t length) {
    for (const char* at = set; *at; at += strcspn(at, "+"), at += *at == '+')
        if (strcspn(at, "+") == length && strncmp(at, word, length) == 0) return true;
    return false;
}

// If there is no room or no memory, the parts learn by themselves.
static void add_learned_words(struct state* state, size_t scenario, const char* more) {
    char* set = state->learned[scenario];
    if (set == NULL) set = state->learned[scenario] = calloc(1, EXPLORE_REPLAY_MOST);
    if (set == NULL) return;
    size_t used = strlen(set);
    const size_t before = used;
    for (const char* word = more; *word; word += strcspn(word, "+"), word += *word == '+') {
        const size_t length = strcspn(word, "+");
        if (has_word(set, word, length) || used + length + 2 > EXPLORE_REPLAY_MOST) continue;
        used += (size_t)snprintf(set + used, EXPLORE_REPLAY_MOST - used, "%s%.*s", used ? "+" : "", (int)length, word);
    }
    state->grew[scenario] |= used > before;
}

static void take_worker(struct state* state, const struct unit* unit, struct explore_worker* worker) {
    const struct explore_scenario_outcome* s = &state->outcome->scenario[unit->scenario];
    char key[SCENARIO_KEY];
    struct resume_part part;
    // What the rounds before have done counts once.
    if (unit->part == 0) worker->result.schedules += s->earlier_schedules;
    if (unit->part == 0) worker->result.pruned += s->earlier_pruned;
    worker->result.steps |= s->steps;
    add_result(state, unit, &worker->result);
    add_learned_words(state, unit->scenario, worker->learned);
    resume_part_of(state, unit, key, &part);
    if (!state->resume_is_lost) state->resume_is_lost = !resume_add(state->search->resume, &part, worker);
}

// The fault of the first unit that has one counts, whoever is first to find it: units before that one go on.
static void take_fault(struct state* state, const struct unit* unit, const struct explore_fault* fault) {
    if (state->outcome->has_fault && number_of(unit) > state->unit_at_fault) return;
    state->unit_at_fault = number_of(unit);
    state->outcome->has_fault = true;
    state->outcome->fault = *fault;
    state->outcome->at_fault = unit->scenario;
    state->end = EXPLORE_FAULT;
    stop_from(state, state->unit_at_fault);
}

// A worker that has not begun to listen yet when it is told to stop has nothing to say.
static enum explore_end end_without_result(const struct state* state, const struct explore_worker* worker) {
    if (*state->search->stopped) return EXPLORE_OK;
    if (worker->status == STATUS_USAGE) return EXPLORE_BAD;
    if (worker->status < 0) missing_error("a process hakstress-explore was killed");
    return EXPLORE_MISSING;
}

static void finish(struct state* state, size_t index) {
    struct running done = state->running[index];
    struct explore_worker* worker = done.worker;
    state->running[index] = state->running[--state->running_count];
    explore_worker_reap(worker);
    if (worker->has_fault) take_fault(state, &done.unit, &worker->fault);
    if (worker->has_result)
        take_worker(state, &done.unit, worker);
    else if (!worker->has_fault && state->end == EXPLORE_OK)
        state->end = end_without_result(state, worker);
    free(worker);
}

static void wait_for_some(struct state* state) {
    struct pollfd files[JOBS_MOST];
    const size_t count = state->running_count;
    for (size_t i = 0; i < count; i++) files[i] = (struct pollfd){state->running[i].worker->output, POLLIN, 0};
    if (poll(files, count, 200) <= 0) return;
    for (size_t i = count; i-- > 0;)
        if (files[i].revents != 0 && !explore_worker_read(state->running[i].worker)) finish(state, i);
}

// --- rounds

// In a later round these are the parts of scenarios that are to be explored again.
static bool is_wanted(const struct state* state, size_t scenario) {
    return state->round == 0 || state->outcome->scenario[scenario].parts_done < state->parts;
}

static bool was_done(const struct state* state, const struct unit* unit, struct explore_result* result) {
    static char position[EXPLORE_REPLAY_MOST];
    char key[SCENARIO_KEY];
    struct resume_part part;
    if (state->round > 0 || state->search->resume == NULL) return false;
    resume_part_of(state, unit, key, &part);
    return resume_read(state->search->resume, &part, result, position) == RESUME_DONE;
}

static void count_units(struct state* state) {
    struct explore_result unused;
    state->units_left = 0;
    for (size_t s = 0; s < state->search->scenario_count; s++)
        for (uint64_t p = 0; is_wanted(state, s) && p < state->parts; p++)
            state->units_left += !was_done(state, &(struct unit){s, p, state->parts}, &unused);
}

// Skips what an earlier search has done.
static bool next_unit(struct state* state, struct unit* unit) {
    while (state->next_scenario < state->search->scenario_count) {
        struct explore_result result;
        *unit = (struct unit){state->next_scenario, state->next_part, state->parts};
        if (++state->next_part == state->parts) {
            state->next_part = 0;
            state->next_scenario++;
        }
        if (!is_wanted(state, unit->scenario)) continue;
        if (!was_done(state, unit, &result)) return true;
        add_result(state, unit, &result);
    }
    return false;
}

static void explore_round(struct state* state) {
    const struct explore_search* search = state->search;
    struct unit unit;
    count_units(state);
    bool told_to_stop = false, more = next_unit(state, &unit);
    while (more || state->running_count > 0) {
        if (*search->stopped && !told_to_stop) {
            stop_from(state, 0);
            told_to_stop = true;
        }
        more = more && state->end == EXPLORE_OK && !told_to_stop;
        if (more && state->running_count < search->jobs && state->running_count < JOBS_MOST) {
            if (!start(state, &unit)) state->end = EXPLORE_MISSING;
            more = next_unit(state, &unit);
        } else if (state->running_count > 0)
            wait_for_some(state);
    }
}

// Parts that know different words have not divided one tree among them. With all words that any of them has learned
// they do, unless they learn yet another one. A round that adds none is the last: a set may be too large to be told.
static bool begin_round(struct state* state) {
    bool any = false;
    if (state->end != EXPLORE_OK || *state->search->stopped) return false;
    if (state->end_of_time != 0 && now() >= state->end_of_time) return false;
    for (size_t i = 0; i < state->search->scenario_count; i++) {
        struct explore_scenario_outcome* s = &state->outcome->scenario[i];
        if (!s->complete || !s->differs || !state->grew[i]) continue;
        state->grew[i] = false;
        *s = (struct explore_scenario_outcome){
            .steps = s->steps, .earlier_schedules = s->schedules, .earlier_pruned = s->pruned};
        any = true;
    }
    state->round++;
    state->next_scenario = 0;
    state->next_part = 0;
    return any;
}

// A part alone is not complete: whether others have left nothing out depends on what they have learned.
static void add_up(struct explore_outcome* outcome, const struct explore_search* search) {
    for (size_t i = 0; i < search->scenario_count; i++) {
        struct explore_scenario_outcome* s = &outcome->scenario[i];
        s->part_complete = is_complete(s);
        s->complete = s->part_complete && search->shards == 1;
        outcome->schedules += s->schedules;
        outcome->pruned += s->pruned;
        outcome->complete += s->complete;
        outcome->done += s->parts_done > 0 && s->parts_done == s->parts;
    }
}

enum explore_end explore_search(const struct explore_search* search, struct explore_outcome* outcome) {
    struct state state = {.search = search, .outcome = outcome, .parts = explore_parts(search)};
    if (search->seconds > 0) state.end_of_time = now() + search->seconds;
    do explore_round(&state);
    while (begin_round(&state));
    for (size_t i = 0; i < search->scenario_count; i++) free(state.learned[i]);
    add_up(outcome, search);
    return state.end == EXPLORE_OK && *search->stopped ? EXPLORE_STOPPED : state.end;
}
