#include "explore/tell.h"

#include "base/error.h"

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
    if (wish->scenario->by_path) add(words, "story-file", wish->scenario->path);
}

static void end(struct words* words, const struct explore_wish* wish) {
    words->argument[words->count++] = (char*)wish->scenario->path;
    words->argument[words->count] = NULL;
}

int explore_shorten(const struct explore_wish* wish, double seconds, struct explore_fault* fault) {
    static struct words words;
    char limit[32];
    struct explore_worker* worker = malloc(sizeof *worker);
    if (worker == NULL) return missing_error("there is not enough memory");
    snprintf(limit, sizeof limit, "%.3f", seconds);
    begin(&words, wish, "--minimise");
    add(&words, "seconds", limit);
    add_story(&words, wish);
    end(&words, wish);
    const bool ran = explore_worker_run(worker, wish->program, words.argument, wish->stopped);
    int status = ran ? worker->status : STATUS_MISSING;
    if (status == STATUS_FAULT && worker->has_fault)
        *fault = worker->fault;
    else if (*wish->stopped)
        status = STATUS_STOPPED;
    else if (status <= STATUS_FAULT)
        status = missing_error("%s has ended without a result", wish->program);
    free(worker);
    return status;
}

void explore_repeat(const struct explore_wish* wish, uint64_t times, struct explore_repeats* repeats) {
    static struct words words;
    struct explore_worker* worker = malloc(sizeof *worker);
    *repeats = (struct explore_repeats){.status = worker ? STATUS_OK : STATUS_MISSING};
    for (uint64_t i = 0; worker && i < times && !*wish->stopped && repeats->status <= STATUS_FAULT; i++) {
        begin(&words, wish, "--replay");
        if (i == 0) add_story(&words, wish);
        end(&words, wish);
        if (!explore_worker_run(worker, wish->program, words.argument, wish->stopped)) repeats->status = STATUS_MISSING;
        if (worker->status < 0 || worker->status > STATUS_FAULT || !worker->has_repeat) {
            repeats->status = worker->status > STATUS_FAULT ? worker->status : STATUS_MISSING;
            break;
        }
        if (i == 0) snprintf(repeats->check, sizeof repeats->check, "%s", worker->fault.check);
        if (i == 0) snprintf(repeats->text, sizeof repeats->text, "%s", worker->fault.text);
        repeats->done++;
        repeats->same += worker->same && strcmp(repeats->check, worker->fault.check) == 0;
    }
    free(worker);
}
