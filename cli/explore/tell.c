#include "explore/tell.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 12, OPTION_MOST = PATH_MAX + 32 };

struct words {
    char option[WORDS_MOST][OPTION_MOST];
    char* argument[WORDS_MOST + 3];
    size_t count;
};

static void add(struct words* words, const char* name, const char* value) {
    if (value == NULL) return;
    snprintf(words->option[words->count], OPTION_MOST, "--%s=%s", name, value);
    words->argument[words->count] = words->option[words->count];
    words->count++;
}

// The string may be long, so it is a word of its own.
static void begin(struct words* words, const struct explore_wish* wish, const char* what) {
    words->count = 0;
    words->argument[words->count++] = (char*)wish->program;
    words->argument[words->count++] = (char*)what;
    words->argument[words->count++] = (char*)wish->replay;
    if (wish->force) words->argument[words->count++] = (char*)"--force";
}

static void add_story(struct words* words, const struct explore_wish* wish) {
    add(words, "story", wish->story.text);
    add(words, "story-json", wish->story.json);
    add(words, "story-html", wish->story.html);
}

static void end(struct words* words, const struct explore_wish* wish) {
    words->argument[words->count++] = (char*)wish->scenario;
    words->argument[words->count] = NULL;
}

static bool run(struct explore_worker* worker, const struct explore_wish* wish, const struct words* words) {
    if (!explore_worker_start(worker, wish->program, words->argument)) return false;
    while (explore_worker_read(worker)) {}
    explore_worker_reap(worker);
    return true;
}

bool explore_shorten(const struct explore_wish* wish, double seconds, struct explore_fault* fault) {
    static struct words words;
    char limit[32];
    struct explore_worker* worker = malloc(sizeof *worker);
    if (worker == NULL) return false;
    snprintf(limit, sizeof limit, "%.3f", seconds);
    begin(&words, wish, "--minimise");
    add(&words, "seconds", limit);
    add_story(&words, wish);
    end(&words, wish);
    bool told = run(worker, wish, &words) && worker->has_fault && worker->status == 1;
    if (told) *fault = worker->fault;
    free(worker);
    return told;
}

void explore_repeat(const struct explore_wish* wish, uint64_t times, const volatile sig_atomic_t* stopped,
                    struct explore_repeats* repeats) {
    static struct words words;
    struct explore_worker* worker = malloc(sizeof *worker);
    *repeats = (struct explore_repeats){.status = worker ? 0 : 3};
    for (uint64_t i = 0; worker && i < times && !*stopped && repeats->status <= 1; i++) {
        begin(&words, wish, "--replay");
        if (i == 0) add_story(&words, wish);
        end(&words, wish);
        if (!run(worker, wish, &words)) repeats->status = 3;
        if (worker->status < 0 || worker->status > 1 || !worker->has_repeat) {
            repeats->status = worker->status > 1 ? worker->status : 3;
            break;
        }
        if (i == 0) snprintf(repeats->check, sizeof repeats->check, "%s", worker->fault.check);
        if (i == 0) snprintf(repeats->text, sizeof repeats->text, "%s", worker->fault.text);
        repeats->same += worker->same && strcmp(repeats->check, worker->fault.check) == 0;
    }
    free(worker);
}
