#include "tell/story.h"

#include "config/changes.h"
#include "record/text.h"
#include "runtime/steps.h"
#include "runtime/watch.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "tell/lists.h"
#include "tell/names.h"
#include "tell/prevented.h"

#include <stdio.h>
#include <string.h>

// --- states

static void add_list(Text* text, const char* what, const BlockList* list) {
    char blocks[WORDS_ROOM];
    list_describe(list, blocks, sizeof blocks);
    text_add(text, "; %s %s", what, blocks);
}

void story_state(uint32_t slab, uint32_t event, char* out, size_t size) {
    Text text = {out, size, 0};
    const SlabState* s = state_before(slab, event);
    if (s == NULL || s->owner == WORD_NOT_A_SLAB) {
        text_add(&text, "slab %u: not a slab", slab);
        return;
    }
    text_add(&text, "slab %u: owner %s", slab, name_of_owner(s->owner, event).text);
    if (s->remote > REMOTE_UNOWNED)
        add_list(&text, "remote stack", &s->pushed);
    else
        text_add(&text, "; remote stack %s", s->remote == REMOTE_UNOWNED ? "U" : "empty");
    if (s->runs) {
        text_add(&text, "; %u pages used", s->used);
        return;
    }
    add_list(&text, "free list", &s->free_list);
    text_add(&text, "; counts %u free, %u used", s->free, s->used);
    if (s->uncut) text_add(&text, ", %u not cut yet", s->uncut);
    if (s->registered) text_add(&text, "; in the registry");
}

void story_row(const Row* row, char* out, size_t size) {
    Text text = {out, size, 0};
    out[0] = '\0';
    if (row->kind == ROW_STEP && row->step < HAK_STEP_COUNT)
        text_add(&text, "%s %s%s", step_name(row->step), step_words(row->step), row->what[0] ? ": " : "");
    if (row->kind == ROW_SWITCH && row->preempts)
        text_add(&text, "switch: %c is stopped here, %c goes on", 'A' + row->thread, 'A' + row->other);
    else if (row->kind == ROW_SWITCH)
        text_add(&text, "%c goes on", 'A' + row->other);
    text_add(&text, "%s", row->what);
    if (row->stale[0]) text_add(&text, " [%s]", row->stale);
}

// --- the fault

static Name place_of_fault(void) {
    return run.fault_address ? name_of_place((uint64_t)(uintptr_t)run.fault_address) : (Name){""};
}

static void describe_fault(Story* story) {
    Name place = place_of_fault();
    const char* at = run.fault_other == NOBODY ? run.text + strlen(run.text) : strrchr(run.text, ':');
    snprintf(story->check, sizeof story->check, "%s", run.check);
    if (place.text[0] && at)
        snprintf(story->fault, sizeof story->fault, "%.*s: %s", (int)(at - run.text), run.text, place.text);
    else
        snprintf(story->fault, sizeof story->fault, "%s%s", run.text,
                 strstr(run.text, "address 0x6261,")
                     ? ": 'a' and 'b', which the scenario writes to the start of each block, followed as a link"
                     : "");
}

static uint32_t slab_of_fault(void) {
    return run.fault_address ? slab_of_place((uint64_t)(uintptr_t)run.fault_address) : 0;
}

typedef enum { ANY, OWNER, OTHER } Who;

static bool ever_owned(uint32_t slab, unsigned thread) {
    for (uint32_t i = 0; i < states.count; i++) {
        if (states.at[i].slab != slab || word_owner(states.at[i].owner) == 0) continue;
        Name owner = name_of_owner(states.at[i].owner, states.at[i].event);
        if (owner.text[0] == (char)('A' + thread) && owner.text[1] == '\0') return true;
    }
    return false;
}

static bool was_written_by_others(uint32_t slab) {
    for (uint32_t i = 0; i < rows.count; i++)
        for (uint32_t k = 0; k < rows.at[i].slab_count; k++)
            if (rows.at[i].writes_foreign && rows.at[i].slab[k].slab == slab) return true;
    return false;
}

// "A reads what B wrote": OWNER if each of them had the slab at its time, so that the hand-over between them failed.
static Who who_faults(void) {
    uint32_t slab = slab_of_fault();
    if (run.fault_other == NOBODY || slab == 0 || was_written_by_others(slab)) return OTHER;
    bool both = ever_owned(slab, run.fault_thread) && ever_owned(slab, run.fault_other);
    return both ? OWNER : OTHER;
}

static const char* rule_of_fault(void) {
    static const struct {
        const char *check, *where;
        Who who;
        const char* sentence;
    } rules[] = {
#define RULE(check, where, who, sentence) {check, where, who, sentence},
#include "tell/rules.def"
#undef RULE
    };
    Name place = place_of_fault();
    Who who = who_faults();
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].check, run.check) != 0) continue;
        if (strncmp(place.text, rules[i].where, strlen(rules[i].where)) != 0) continue;
        if (rules[i].who == ANY || rules[i].who == who) return rules[i].sentence;
    }
    return NULL;
}

// --- telling

static void look(void) {
    if (recording.count == 0) {
        names_begin(again_scenario());
        states_begin();
    }
    names_look(recording.count);
    states_look(recording.count);
}

static RunEnd run_and_look(const Schedule* schedule) {
    recording.look = look;
    RunEnd end = again_run(schedule);
    recording.look = NULL;
    return end;
}

bool story_tell(const Replay* replay, const Scenario* whole, Story* story, char* message, size_t size) {
    if (!again_prepare(replay, whole, message, size)) return false;
    story->prevented_count = 0;
    story->tried[0] = '\0';
    if (run_and_look(&replay->schedule) == RUN_FAULT) {
        const volatile void* fault_address = run.fault_address;
        const unsigned fault_bytes = run.fault_bytes;
        prevented_find(replay, whole, story);
        if (!again_prepare(replay, whole, message, size)) return false;
        watch(fault_address, fault_bytes);
        run_and_look(&replay->schedule);
        watch(NULL, 0);
    }
    story->scenario = *again_scenario();
    story->switches = schedule_switches(run_schedule);
    story->preemptions = run.preemptions;
    replay_format(replay, story->replay, sizeof story->replay);
    rows_build(&story->scenario, slab_of_fault(), accesses_find());
    story->rule = run.check[0] ? rule_of_fault() : NULL;
    describe_fault(story);
    return true;
}
