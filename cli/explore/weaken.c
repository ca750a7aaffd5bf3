#include "explore/weaken.h"

#include "base/error.h"
#include "explore/tell.h"

#include <inttypes.h>
#include <string.h>

// --- the places, as the worker names them

static bool ask_for_places(const struct explore_search* search, struct weaken_outcome* outcome) {
    static struct explore_worker worker;
    char* arguments[] = {(char*)"hakstress-explore", (char*)"--places", NULL};
    if (!explore_worker_run(&worker, search->program, arguments, search->stopped)) return false;
    for (size_t i = 0; i < worker.place_count && outcome->count < EXPLORE_PLACES_MOST; i++)
        snprintf(outcome->place[outcome->count++].place, sizeof outcome->place[0].place, "%s", worker.place[i]);
    return outcome->count > 0;
}

// --- one after the other

// The same schedule with the orders as they are: the string without the weaker one, and without the events of that run.
static void without_weaker(const char* replay, char out[EXPLORE_REPLAY_MOST]) {
    const char* weaker = strstr(replay, ",weaken=");
    const size_t before = weaker ? (size_t)(weaker - replay) : strlen(replay);
    const char* after = replay + before + (weaker ? 1 + strcspn(weaker + 1, ",:") : 0);
    snprintf(out, EXPLORE_REPLAY_MOST, "%.*s%.*s", (int)before, replay, (int)strcspn(after, "#"), after);
}

// What the schedule ends with if no order is weaker. Then *fault is of that.
static enum explore_end run_as_it_is(const struct explore_search* search, const struct scenario_file* file,
                                     struct explore_fault* fault) {
    static char replay[EXPLORE_REPLAY_MOST];
    static struct explore_repeats repeats;
    without_weaker(fault->replay, replay);
    const struct explore_wish wish = {
        .program = search->program, .replay = replay, .scenario = file, .stopped = search->stopped};
    explore_repeat(&wish, 1, &repeats);
    if (*search->stopped) return EXPLORE_STOPPED;
    if (repeats.status > STATUS_FAULT) return EXPLORE_MISSING;
    if (strcmp(repeats.check, "none") == 0) return EXPLORE_OK;
    memcpy(fault->replay, replay, sizeof replay);
    snprintf(fault->check, sizeof fault->check, "%s", repeats.check);
    snprintf(fault->text, sizeof fault->text, "%s", repeats.text);
    return EXPLORE_FAULT;
}

static enum explore_end try_place(const struct explore_search* search, char** room, struct weaken_verdict* verdict,
                                  struct explore_outcome* plain) {
    static struct explore_outcome outcome;
    char option[64];
    snprintf(option, sizeof option, "--weaken=%s", verdict->place);
    room[0] = option;
    room[1] = NULL;
    outcome = (struct explore_outcome){0};
    enum explore_end end = explore_search(search, &outcome);
    room[0] = NULL;
    verdict->schedules = outcome.schedules;
    verdict->weakened = outcome.weakened;
    if (end != EXPLORE_FAULT) return end;
    end = run_as_it_is(search, &search->scenarios[outcome.at_fault], &outcome.fault);
    if (end == EXPLORE_FAULT) *plain = outcome;
    if (end != EXPLORE_OK) return end;
    verdict->needed = true;
    verdict->replay = strdup(outcome.fault.replay);
    snprintf(verdict->scenario, sizeof verdict->scenario, "%s", outcome.fault.scenario);
    snprintf(verdict->check, sizeof verdict->check, "%s", outcome.fault.check);
    return EXPLORE_OK;
}

enum explore_end weaken_search(const struct explore_search* search, char** room, struct weaken_outcome* outcome,
                               struct explore_outcome* plain) {
    if (!ask_for_places(search, outcome)) return *search->stopped ? EXPLORE_STOPPED : EXPLORE_MISSING;
    enum explore_end end = EXPLORE_OK;
    while (outcome->tried < outcome->count && end == EXPLORE_OK) {
        end = try_place(search, room, &outcome->place[outcome->tried], plain);
        outcome->tried += end == EXPLORE_OK;
    }
    return end;
}

void weaken_print(const struct weaken_outcome* outcome, FILE* out) {
    for (size_t i = 0; i < outcome->tried; i++) {
        const struct weaken_verdict* v = &outcome->place[i];
        if (v->needed)
            fprintf(out, "weaken %-14s needed: %s in %s, %s\n", v->place, v->check, v->scenario, v->replay);
        else
            fprintf(out, "weaken %-14s no evidence found within %" PRIu64 " schedules%s\n", v->place, v->schedules,
                    v->weakened ? "" : ", none of which had such an operation");
    }
}

json_t* weaken_json(const struct weaken_outcome* outcome) {
    json_t* list = json_array();
    for (size_t i = 0; i < outcome->tried; i++) {
        const struct weaken_verdict* v = &outcome->place[i];
        json_t* one = json_object();
        json_put_text(one, "place", v->place);
        json_put_bool(one, "needed", v->needed);
        json_put_count(one, "schedules", v->schedules);
        json_put_count(one, "weakened", v->weakened);
        if (v->needed) {
            json_put_text(one, "scenario", v->scenario);
            json_put_text(one, "check", v->check);
            json_put_text(one, "replay", v->replay);
        }
        json_array_append_new(list, one);
    }
    return list;
}
