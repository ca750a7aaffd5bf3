// The story in steps. Each step is based on a record and has a time.
#include "report/story_steps.h"

#include "base/json.h"
#include "report/hidden_text.h"
#include "report/history.h"
#include "report/signals.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_EVENTS = 64, BLOCK_EVENTS_SHOWN = 6, NAME = 64 };

// Steps are collected with their times, and sorted at the end.

struct telling {
    const struct story_input* input;
    const struct story* story;
    json_t *steps, *unknown;
};

static json_t* formatted(const char* format, va_list args) {
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    return json_text(text);
}

__attribute__((format(printf, 3, 4))) static void step(struct telling* t, uint64_t tick, const char* format, ...) {
    va_list args;
    va_start(args, format);
    json_t* one = json_object();
    json_object_set_new(one, "time", tick != 0 ? json_real(rings_time(t->input->rings, tick)) : json_null());
    json_object_set_new(one, "text", formatted(format, args));
    va_end(args);
    json_array_append_new(t->steps, one);
}

__attribute__((format(printf, 2, 3))) static void unknown(struct telling* t, const char* format, ...) {
    va_list args;
    va_start(args, format);
    json_array_append_new(t->unknown, formatted(format, args));
    va_end(args);
}

// Steps: the drain

static const char* why_tied(enum story_tie tie) {
    switch (tie) {
    case TIE_POINTER: return "the fault address or a register points into this slab";
    case TIE_LAST_SEEN: return "the crashed thread used this slab last";
    case TIE_LATEST: return "it is the last such drain before the crash; it is not certain that it led to the crash";
    case TIE_NONE:
    case TIE_CHECK:
    case TIE_LINK: break;
    }
    return NULL;
}

static void tell_drain(struct telling* t) {
    const struct story* story = t->story;
    char drainer[NAME], owner[NAME], cause[512] = "";
    who_text(&story->drainer, drainer, sizeof drainer);
    who_text(&story->owner, owner, sizeof owner);
    bool nobody = story->tie == TIE_CHECK && story->owner.thread == 0;
    if (nobody) snprintf(owner, sizeof owner, "nobody");
    if (story->site != NULL)
        snprintf(cause, sizeof cause, " This happened at site %s, because change %u is missing (\"%s\"): %s.",
                 story->site, story->change, change_words(story->change), change_missing(story->change));
    if (story->tie == TIE_CHECK)
        step(t, story->drain_tick,
             "%s was about to drain slab %u, which %s owned: to take the %u block(s) that other threads had freed into "
             "the slab and push them onto the slab's free list. Only the owner may touch that list, so the check "
             "stopped it.%s",
             drainer, story->slab, owner, story->blocks, cause);
    else
        step(t, story->drain_tick,
             "%s drained slab %u, which %s owned: it took the %u block(s) that other threads had freed into the slab "
             "and pushed them one by one onto the slab's free list. Only the owner may touch that list.%s",
             drainer, story->slab, owner, story->blocks, cause);
    if (story->drain_is_later)
        unknown(
            t,
            "the drain that put block 0x%" PRIx64 " back onto the list: it began before the block was handed out, "
            "and is no longer in the rings. The drain shown is a later one of the same slab, at the same kind of place",
            story->block);
    const char* tied = why_tied(story->tie);
    if (tied != NULL) unknown(t, "whether this drain led to the crash: %s", tied);
}

static bool uses_free_list(const HakRingRecord* record, const void* wanted) {
    if (record->a != *(const uint32_t*)wanted) return false;
    return record->event == HAK_EVENT_malloc || record->event == HAK_EVENT_free || record->event == HAK_EVENT_refill ||
           record->event == HAK_EVENT_drain;
}

static void tell_use(struct telling* t, const struct ring_event* event, const char* which) {
    char owner[NAME], block[32] = "";
    struct who who = ring_event_who(event);
    who_text(&who, owner, sizeof owner);
    if (event->record.ptr != 0) snprintf(block, sizeof block, " of block 0x%" PRIx64, event->record.ptr);
    step(t, event->record.tsc, "%s, the owner, used slab %u: %s%s (%s)", owner, t->story->slab,
         hak_event_name(event->record.event), block, which);
}

// What the owner did with the slab around the drain. The rings record only calls, not each change of a free list.
static void tell_owner(struct telling* t) {
    enum { MOST = 2048 };
    const struct story* story = t->story;
    uint64_t end = story->has_link ? story->link_tick : UINT64_MAX;
    struct ring_event *found = calloc(MOST, sizeof *found), *before = NULL, *after = NULL;
    size_t count = found != NULL ? rings_find(t->input->rings, uses_free_list, &story->slab, MOST, found) : 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i].thread != story->owner.thread || found[i].thread == story->drainer.thread) continue;
        if (found[i].record.tsc < story->drain_tick) before = &found[i];
        if (found[i].record.tsc >= story->drain_tick && after == NULL && found[i].record.tsc < end) after = &found[i];
    }
    if (before != NULL) tell_use(t, before, "the last record in the rings before the drain");
    if (after != NULL) tell_use(t, after, "the first record in the rings after the drain began");
    if (before == NULL && after == NULL && story->owner.thread != 0)
        unknown(t, "what thread %u, the owner, did with slab %u at that time: no ring has a record",
                story->owner.thread, story->slab);
    free(found);
}

static bool hands_over(const HakRingRecord* record, const void* wanted) {
    bool is = record->event == HAK_EVENT_publish || record->event == HAK_EVENT_adopt;
    return is && record->a == *(const uint32_t*)wanted;
}

// How the slab came from the owner at the time of the drain to the thread that met the damage.
static void tell_hand_overs(struct telling* t) {
    enum { MOST = 6 };
    const struct story* story = t->story;
    struct ring_event found[MOST];
    char name[NAME];
    size_t count = rings_find(t->input->rings, hands_over, &story->slab, MOST, found);
    for (size_t i = 0; i < count; i++) {
        const HakRingRecord* record = &found[i].record;
        if (record->tsc < story->drain_tick || (story->has_link && record->tsc > story->link_tick)) continue;
        struct who who = ring_event_who(&found[i]);
        who_text(&who, name, sizeof name);
        if (record->event == HAK_EVENT_publish)
            step(t, record->tsc, "%s, the owner, gave up slab %u, which was damaged", name, story->slab);
        else
            step(t, record->tsc, "%s claimed slab %u, which nobody owned, and became its owner", name, story->slab);
    }
}

// Steps: the block

static bool is_handling(const struct ring_event* event) {
    return event->record.event == HAK_EVENT_malloc || event->record.event == HAK_EVENT_free;
}

static bool is_malloc(const struct ring_event* event) {
    return event->record.event == HAK_EVENT_malloc;
}

static void tell_handling(struct telling* t, const struct ring_event* event, bool again) {
    char name[NAME];
    struct who who = ring_event_who(event);
    who_text(&who, name, sizeof name);
    if (is_malloc(event))
        step(t, event->record.tsc, "malloc: %s got block 0x%" PRIx64 " of slab %u (it asked for %" PRIu64 " bytes)%s",
             name, event->record.ptr, event->record.a, event->record.b,
             again ? "; it had been handed out before and not freed since" : "");
    else
        step(t, event->record.tsc, "free: %s gave block 0x%" PRIx64 " back%s", name, event->record.ptr,
             again ? "; it had been freed before and not handed out since" : "");
}

// The last calls before the link was read, and the first one after it: the thread that frees the block then had it all
// the time.
static void tell_block(struct telling* t) {
    const struct story* story = t->story;
    struct ring_event found[BLOCK_EVENTS];
    size_t count = history_of_block(t->input->rings, story->block, BLOCK_EVENTS, found), kept = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_handling(&found[i])) found[kept++] = found[i];
    }
    while (before < kept && found[before].record.tsc < story->link_tick) before++;
    for (size_t i = before > BLOCK_EVENTS_SHOWN ? before - BLOCK_EVENTS_SHOWN : 0; i < before; i++) {
        bool again = i > 0 && is_malloc(&found[i]) == is_malloc(&found[i - 1]);
        tell_handling(t, &found[i], again);
    }
    if (before == 0)
        unknown(t, "who had block 0x%" PRIx64 " before: the rings have no record, or no longer have it", story->block);
    char name[NAME];
    if (story->block_was_live && before < kept && !is_malloc(&found[before])) {
        struct who who = ring_event_who(&found[before]);
        who_text(&who, name, sizeof name);
        step(t, found[before].record.tsc,
             "%s freed block 0x%" PRIx64
             ": so it had been in use all the time, while its first bytes were taken for a link",
             name, story->block);
    }
}

static void tell_writing(struct telling* t) {
    const struct story* story = t->story;
    char text[9];
    // A program may write where it must not at any time; the workload writes only after a malloc.
    uint64_t tick = story->block_was_live || t->input->workload != NULL ? story->malloc_tick : 0;
    tick = tick != 0 ? tick + 1 : story->link_tick - 1;
    if (t->input->workload != NULL && (story->link & 0xffff) == 0x6261)
        step(t, tick,
             "the workload wrote 'a' and 'b' (0x61 0x62) into the first two bytes of the block, as it does after each "
             "malloc. A free block has its link there, the address of the next free block. Read as a number, lowest "
             "byte first, the two bytes are 0x6261%s",
             story->link == 0x6261 ? ", because the six bytes above are zero" : " under the rest of an older link");
    else if (hidden_text_whole(story->link, text))
        step(t, tick != 0 ? tick + 1 : story->link_tick - 1,
             "the program wrote the text \"%s\" to the start of the block, where a free block has its link; read as "
             "a number, lowest byte first, that is 0x%" PRIx64,
             text, story->link);
    else
        step(t, tick, "something wrote 0x%" PRIx64 " to the start of the block, where a free block has its link",
             story->link);
}

static void tell_link(struct telling* t) {
    const struct story* story = t->story;
    char name[NAME];
    who_text(&story->reader, name, sizeof name);
    const char* how = story->tie == TIE_LINK
                          ? " (if two threads change one list without synchronization, a block that one of them has "
                            "just taken can be put back onto it)"
                          : "";
    step(t, story->link_tick,
         "%s took block 0x%" PRIx64
         " as a free one%s%s, and read the address of the next free block from it: 0x%" PRIx64,
         name, story->block,
         story->block_was_live ? ", though it was in use and on the free list at the same time" : "",
         story->block_was_live ? how : "", story->link);
}

static void tell_crash(struct telling* t) {
    const CrashRecord* record = t->input->record;
    if (record == NULL || t->story->tie == TIE_CHECK) return;
    struct who who = {.thread = t->input->thread, .os_tid = t->input->os_tid};
    char name[NAME];
    who_text(&who, name, sizeof name);
    const char* access = fault_access(record);
    uint64_t tick = t->input->rings->zero;
    if (t->story->has_link && record->fault_address == t->story->link)
        step(t, tick,
             "%s followed it: it %s memory at 0x%" PRIx64 ", where nothing is mapped: %s, fault_addr=0x%" PRIx64, name,
             access != NULL && strcmp(access, "write") == 0 ? "wrote" : "read", record->fault_address,
             signal_name(record->signal), record->fault_address);
    else if (t->story->has_link)
        step(t, tick, "%s followed it; it is not a valid address, so the processor reports none: %s, fault_addr=0x0",
             name, signal_name(record->signal));
    else if (record->code > 0)
        step(t, tick, "%s crashed: %s, fault_addr=0x%" PRIx64, name, signal_name(record->signal),
             record->fault_address);
    else
        step(t, tick, "%s was stopped by %s", name, signal_name(record->signal));
}

// Putting it together

static int by_time(const void* a, const void* b) {
    const json_t* x = json_object_get(*(json_t* const*)a, "time");
    const json_t* y = json_object_get(*(json_t* const*)b, "time");
    double difference = json_number_value(x) - json_number_value(y);
    return difference < 0 ? -1 : difference > 0;
}

static json_t* in_order(json_t* steps) {
    size_t count = json_array_size(steps);
    json_t** list = calloc(count + 1, sizeof *list);
    json_t* sorted = json_array();
    if (list == NULL || sorted == NULL) {
        free(list);
        json_decref(sorted);
        return steps;
    }
    for (size_t i = 0; i < count; i++) list[i] = json_array_get(steps, i);
    qsort(list, count, sizeof(json_t*), by_time);
    for (size_t i = 0; i < count; i++) json_array_append(sorted, list[i]);
    free(list);
    json_decref(steps);
    return sorted;
}

static void tell_what_is_forgotten(struct telling* t) {
    uint64_t since = rings_complete_since(t->input->rings);
    if (since == 0) return;
    unknown(t, "what some threads did earlier than %.3f ms before the crash: their rings have overwritten it",
            -1e3 * rings_time(t->input->rings, since));
}

static json_t* summary(const struct story* story) {
    char drainer[NAME], owner[NAME];
    who_text(&story->drainer, drainer, sizeof drainer);
    who_text(&story->owner, owner, sizeof owner);
    if (story->tie == TIE_NONE)
        return json_sprintf("0x%" PRIx64 " was followed as the link of free block 0x%" PRIx64 " of slab %u",
                            story->link, story->block, story->slab);
    if (story->tie == TIE_CHECK && story->owner.thread == 0) snprintf(owner, sizeof owner, "nobody");
    return json_sprintf("%s %s slab %u, which %s owned%s%s", drainer,
                        story->tie == TIE_CHECK ? "was about to drain" : "drained", story->slab, owner,
                        story->site != NULL ? ", at site " : "", story->site != NULL ? story->site : "");
}

static json_t* story_json(struct telling* t) {
    const struct story* story = t->story;
    json_t* json = json_object();
    json_object_set_new(json, "summary", summary(story));
    json_object_set_new(json, "steps", in_order(t->steps));
    json_object_set_new(json, "unknown", t->unknown);
    json_put_whole(json, "slab", story->slab);
    if (story->tie != TIE_NONE) {
        json_put_whole(json, "change", story->change);
        json_object_set_new(json, "site", story->site != NULL ? json_string(story->site) : json_null());
        json_object_set_new(json, "drained_by", who_json(&story->drainer));
        json_object_set_new(json, "owner", who_json(&story->owner));
        json_put_whole(json, "blocks", story->blocks);
    }
    if (!story->has_link) return json;
    json_put_hex(json, "block", story->block);
    json_put_hex(json, "link", story->link);
    json_object_set_new(json, "read_by", who_json(&story->reader));
    return json;
}

json_t* story_tell(const struct story* story, const struct story_input* input) {
    struct telling telling = {.input = input, .story = story, .steps = json_array(), .unknown = json_array()};
    if (story->tie != TIE_NONE) {
        tell_drain(&telling);
        tell_owner(&telling);
        if (story->tie != TIE_CHECK) tell_hand_overs(&telling);
    }
    if (story->has_link) {
        tell_block(&telling);
        tell_writing(&telling);
        tell_link(&telling);
    }
    tell_crash(&telling);
    tell_what_is_forgotten(&telling);
    return story_json(&telling);
}
