#include "tell/prevented.h"

#include "config/changes.h"
#include "runtime/order.h"
#include "runtime/steps.h"
#include "runtime/weaken.h"
#include "search/campaign.h"
#include "tell/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void note(Story* story, const char* format, ...) __attribute__((format(printf, 2, 3)));
static void note(Story* story, const char* format, ...) {
    va_list args;
    if (story->prevented_count == PREVENTED_MOST) return;
    va_start(args, format);
    vsnprintf(story->prevented[story->prevented_count++], WORDS_ROOM, format, args);
    va_end(args);
}

static bool ends_well(const Replay* replay, const Scenario* whole) {
    char message[FAULT_TEXT];
    return again_prepare(replay, whole, message, sizeof message) && again_run(&replay->schedule) == RUN_OK;
}

// --- the six changes

static const char* const missing_words[] = {
#define CHANGE(number, site, file, missing, words) [number] = missing,
#include "config/changes.def"
#undef CHANGE
};
static const char* const site_names[] = {
#define CHANGE(number, site, file, missing, words) [number] = #site,
#include "config/changes.def"
#undef CHANGE
};

static void format_changes(unsigned mask, char* out, size_t size) {
    size_t length = 0;
    snprintf(out, size, "none");
    for (unsigned c = 1; c <= CHANGES_COUNT; c++)
        if (mask >> (c - 1) & 1) length += (size_t)snprintf(out + length, size - length, "%s%u", length ? "," : "", c);
}

static void try_changes(const Replay* replay, const Scenario* whole, unsigned mask, Story* story) {
    static Replay with;
    for (unsigned c = 1; c <= CHANGES_COUNT; c++) {
        if (mask >> (c - 1) & 1) continue;
        with = *replay;
        format_changes(mask | 1u << (c - 1), with.changes, sizeof with.changes);
        if (ends_well(&with, whole))
            note(story, "change %u (%s), which this run is without: %s", c, site_names[c], missing_words[c]);
    }
}

// --- orders

typedef struct {
    uint64_t address;
    uint8_t writer, loader;
    uint16_t write_step, load_step;
} Pair;

static const Pair* stronger;
static int (*order_before)(int order, unsigned step, const volatile void* p, unsigned bytes);

static int strengthen(int order, unsigned step, const volatile void* p, unsigned bytes) {
    bool writes = current_thread == stronger->writer && step == stronger->write_step;
    bool loads = current_thread == stronger->loader && step == stronger->load_step;
    if ((uint64_t)(uintptr_t)p == stronger->address && (writes || loads)) return __ATOMIC_ACQ_REL;
    return order_before ? order_before(order, step, p, bytes) : order;
}

static bool ends_well_with(const Replay* replay, const Scenario* whole, const Pair* pair) {
    char message[FAULT_TEXT];
    if (!again_prepare(replay, whole, message, sizeof message)) return false;
    stronger = pair;
    order_before = order_changed;
    order_changed = strengthen;
    bool well = again_run(&replay->schedule) == RUN_OK;
    order_changed = order_before;
    return well;
}

static bool is_same(const Pair* a, const Pair* b) {
    return a->address == b->address && a->writer == b->writer && a->loader == b->loader &&
           a->write_step == b->write_step && a->load_step == b->load_step;
}

// The story is told after the time for making it short. This much more is for what would have prevented the fault.
enum { SECONDS_MOST = 3 };
static time_t end_of_time;

static bool is_late(void) {
    return campaign_stop || time(NULL) >= end_of_time;
}

enum { PAIRS_MOST = 256, EVENTS_PAIRED = 65536 };

// A write that one thread made and another one loaded afterwards, if one of the two has no order of its own. Among the
// first events of the run, since this takes the square of their number.
static uint32_t find_pairs(Pair pairs[PAIRS_MOST]) {
    uint32_t count = 0, kept = recording.count < EVENTS_PAIRED ? recording.count : EVENTS_PAIRED;
    for (uint32_t i = 0; i < kept && !is_late(); i++) {
        const Event* w = &recording.at[i];
        if (w->kind != EVENT_STORE && w->kind != EVENT_UPDATE) continue;
        for (uint32_t j = i + 1; j < kept && count < PAIRS_MOST; j++) {
            const Event* l = &recording.at[j];
            if (l->address != w->address || l->thread == w->thread) continue;
            if (l->kind != EVENT_LOAD && l->kind != EVENT_UPDATE) continue;
            if (order_releases(w->order) && order_acquires(l->order)) continue;
            Pair pair = {w->address, w->thread, l->thread, w->step, l->step};
            bool known = false;
            for (uint32_t k = 0; k < count; k++) known |= is_same(&pairs[k], &pair);
            if (!known) pairs[count++] = pair;
        }
    }
    return count;
}

static const char* or_its(uint16_t step, const char* otherwise) {
    return step < HAK_STEP_COUNT ? step_name(step) : otherwise;
}

static void try_orders(const Replay* replay, const Scenario* whole, Story* story) {
    static Pair pairs[PAIRS_MOST];
    static Name place[PAIRS_MOST];
    uint32_t count = find_pairs(pairs), tried = 0;
    for (uint32_t i = 0; i < count; i++) place[i] = name_of_place(pairs[i].address);
    for (; tried < count && !is_late(); tried++) {
        const uint32_t i = tried;
        const Pair* p = &pairs[i];
        if (!ends_well_with(replay, whole, p)) continue;
        note(story, "a release in %c's %s and an acquire in %c's %s%s%s", 'A' + p->writer,
             or_its(p->write_step, "store"), 'A' + p->loader, or_its(p->load_step, "load"),
             place[i].text[0] ? ", of " : "", place[i].text);
    }
    if (count == 0) return;
    snprintf(story->tried, sizeof story->tried,
             "tried, one at a time: a release and an acquire for %s%u pairs of operations on one word of two threads%s",
             is_late() ? "" : "each of the ", tried, is_late() ? "; there was no time for more" : "");
}

static bool without_weaker(const Replay* replay, const Scenario* whole, Story* story) {
    static Replay strong;
    strong = *replay;
    strong.weaken[0] = '\0';
    if (!ends_well(&strong, whole)) return false;
    note(story, "the order that was made weaker, %s (%s)", replay->weaken, weaken_words(replay->weaken));
    return true;
}

void prevented_find(const Replay* replay, const Scenario* whole, Story* story) {
    unsigned mask = (unsigned)hak_option(changes);
    end_of_time = time(NULL) + SECONDS_MOST + 1;
    if (mask != (1u << CHANGES_COUNT) - 1u) {
        try_changes(replay, whole, mask, story);
        if (story->prevented_count == 0)
            snprintf(story->tried, sizeof story->tried, "tried: each missing change alone");
        return;
    }
    if (replay->weaken[0] && without_weaker(replay, whole, story)) return;
    if (!replay->follow) try_orders(replay, whole, story);
}
