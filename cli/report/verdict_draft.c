#include "report/verdict_draft.h"

#include "base/json.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

void note(struct verdict* verdict, const char* format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(verdict->evidence, json_text(text));
}

bool judge(struct verdict* verdict, const char* culprit, const char* confidence, const char* cause) {
    snprintf(verdict->cause, sizeof verdict->cause, "%s", cause);
    verdict->confidence = confidence;
    verdict->culprit = culprit;
    return true;
}

const CrashRecord* access_fault(const struct verdict_facts* facts) {
    const CrashRecord* record = facts->record;
    bool access = record != NULL && (record->signal == SIGSEGV || record->signal == SIGBUS) && record->code > 0;
    return access ? record : NULL;
}

// Missing changes

bool has_foreign_drain(const struct verdict_facts* facts) {
    return facts->story != NULL && facts->story->tie != TIE_NONE;
}

void note_drain(struct verdict* verdict, const struct story* story) {
    char drainer[64], owner[64];
    who_text(&story->drainer, drainer, sizeof drainer);
    who_text(&story->owner, owner, sizeof owner);
    if (story->tie == TIE_CHECK)
        note(verdict, "%s was about to drain slab %u (%u blocks waiting), which %s owned", drainer, story->slab,
             story->blocks, story->owner.thread != 0 ? owner : "nobody");
    else
        note(verdict, "%s drained slab %u (%u blocks) while %s owned it", drainer, story->slab, story->blocks, owner);
    if (story->other_drains > 0)
        note(verdict,
             "the rings show %u more such drain(s) of that slab by other threads; this one is the last that began "
             "before the block was handed out",
             story->other_drains);
    if (change_words(story->change) != NULL)
        note(verdict, "change %u, \"%s\", prevents that; it was switched off", story->change,
             change_words(story->change));
}

bool is_drain_uncertain(const struct story* story) {
    return story->tie == TIE_LAST_SEEN || story->tie == TIE_LATEST;
}

void cause_missing_change(struct verdict* verdict, const struct story* story, const char* effect) {
    char drainer[64];
    who_text(&(struct who){.thread = story->drainer.thread}, drainer, sizeof drainer);
    if (story->site != NULL && is_drain_uncertain(story))
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, and slabs of other "
                 "threads were drained; the last known drain, which may not have done the harm: %s drained "
                 "slab %u of thread %u%s",
                 story->change, story->site, drainer, story->slab, story->owner.thread, effect);
    else if (story->site != NULL)
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator's ownership rule was broken on purpose: change %u (%s) is missing, so %s %s slab %u of "
                 "thread %u%s",
                 story->change, story->site, drainer, story->tie == TIE_CHECK ? "was about to drain" : "drained",
                 story->slab, story->owner.thread, effect);
    else
        snprintf(verdict->cause, sizeof verdict->cause,
                 "the allocator broke its own ownership rule: %s %s slab %u of thread %u%s; please report it", drainer,
                 story->tie == TIE_CHECK ? "was about to drain" : "drained", story->slab, story->owner.thread, effect);
    verdict->culprit = story->site != NULL ? "missing change" : "allocator";
}
