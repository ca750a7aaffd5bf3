#include "explore/search.h"

#include "base/error.h"
#include "explore/resume.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    uint64_t next_part, parts;
    enum explore_end end;
};

// --- units

// One scenario alone is divided among the jobs.
uint64_t explore_parts(const struct explore_search* search) {
    return search->scenario_count < search->jobs ? (search->jobs + search->scenario_count - 1) / search->scenario_count
                                                 : 1;
}

// --- workers

static bool start(struct state* state, const struct unit* unit) {
    const struct explore_search* search = state->search;
    char* arguments[ARGUMENTS_MOST];
    char shard[64], seconds[64];
    size_t count = 0;
    arguments[count++] = (char*)"hakstress-explore";
    for (size_t i = 0; search->arguments[i] != NULL && count < ARGUMENTS_MOST - 8; i++)
        arguments[count++] = search->arguments[i];
    snprintf(shard, sizeof shard, "--shard=%" PRIu64 "/%" PRIu64, search->shard * unit->parts + unit->part,
             search->shards * unit->parts);
    arguments[count++] = shard;
    double units = (double)search->scenario_count * (double)unit->parts;
    double at_once = units < (double)search->jobs ? units : (double)search->jobs;
    snprintf(seconds, sizeof seconds, "--seconds=%.3f", search->seconds * at_once / units);
    if (search->seconds > 0) arguments[count++] = seconds;
    const struct scenario_file* scenario = &search->scenarios[unit->scenario];
    static char position[EXPLORE_REPLAY_MOST] = "--position=";
    enum { OPTION = sizeof "--position=" - 1 };
    if (resume_position(search->resume, scenario->name, unit->part, position + OPTION, sizeof position - OPTION))
        arguments[count++] = position;
    // What is wrong with a scenario is said once.
    if (unit->part > 0) arguments[count++] = (char*)"--silent";
    arguments[count++] = (char*)scenario->path;
    arguments[count] = NULL;
    struct running* running = &state->running[state->running_count];
    running->unit = *unit;
    running->worker = malloc(sizeof *running->worker);
    if (running->worker == NULL || !explore_worker_start(running->worker, search->program, arguments)) {
        free(running->worker);
        return false;
    }
    state->running_count++;
    return true;
}

static void stop_all(const struct state* state) {
    for (size_t i = 0; i < state->running_count; i++) kill(state->running[i].worker->pid, SIGTERM);
}

// --- results

static void tell(const struct state* state, size_t scenario) {
    const struct explore_scenario_outcome* s = &state->outcome->scenario[scenario];
    if (state->search->quiet) return;
    fprintf(stderr, "%-24s %9" PRIu64 " schedules %8.2f s%s\n", state->search->scenarios[scenario].name, s->schedules,
            s->seconds, s->complete ? ", complete" : "");
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
    if (s->differs) s->complete = false;
    state->outcome->steps |= result->steps;
    state->outcome->weakened += result->weakened;
    if (s->parts_done == s->parts) tell(state, unit->scenario);
}

// Skips what an earlier search has done.
static bool next_unit(struct state* state, struct unit* unit) {
    const struct explore_search* search = state->search;
    while (state->next_scenario < search->scenario_count) {
        struct explore_result result;
        *unit = (struct unit){state->next_scenario, state->next_part, state->parts};
        if (++state->next_part == state->parts) {
            state->next_part = 0;
            state->next_scenario++;
        }
        if (!resume_has(search->resume, search->scenarios[unit->scenario].name, unit->part, &result)) return true;
        add_result(state, unit, &result);
    }
    return false;
}

static void finish(struct state* state, size_t index) {
    struct running done = state->running[index];
    struct explore_worker* worker = done.worker;
    state->running[index] = state->running[--state->running_count];
    explore_worker_reap(worker);
    if (worker->has_fault && !state->outcome->has_fault) {
        state->outcome->has_fault = true;
        state->outcome->fault = worker->fault;
        state->end = EXPLORE_FAULT;
        stop_all(state);
    }
    if (worker->has_result) {
        add_result(state, &done.unit, &worker->result);
        resume_add(state->search->resume, state->search->scenarios[done.unit.scenario].name, done.unit.part, worker);
    } else if (!worker->has_fault && state->end == EXPLORE_OK)
        state->end = worker->status == STATUS_USAGE ? EXPLORE_BAD : EXPLORE_MISSING;
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

static void add_up(struct explore_outcome* outcome, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct explore_scenario_outcome* s = &outcome->scenario[i];
        outcome->schedules += s->schedules;
        outcome->pruned += s->pruned;
        outcome->complete += s->complete && s->parts_done == s->parts;
        outcome->done += s->parts_done > 0 && s->parts_done == s->parts;
    }
}

enum explore_end explore_search(const struct explore_search* search, struct explore_outcome* outcome) {
    struct state state = {.search = search, .outcome = outcome, .parts = explore_parts(search)};
    struct unit unit;
    bool told_to_stop = false;
    bool more = next_unit(&state, &unit);
    while (more || state.running_count > 0) {
        if (*search->stopped && !told_to_stop) {
            stop_all(&state);
            told_to_stop = true;
        }
        more = more && state.end == EXPLORE_OK && !told_to_stop;
        if (more && state.running_count < search->jobs && state.running_count < JOBS_MOST) {
            if (!start(&state, &unit)) state.end = EXPLORE_MISSING;
            more = next_unit(&state, &unit);
        } else if (state.running_count > 0)
            wait_for_some(&state);
    }
    add_up(outcome, search->scenario_count);
    return state.end == EXPLORE_OK && told_to_stop ? EXPLORE_STOPPED : state.end;
}
