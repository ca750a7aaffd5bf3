#include "report/story.h"

#include "report/history.h"
#include "report/signals.h"
#include "report/story_steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAD_LINKS = 64, SLAB_EVENTS = 256, BLOCK_EVENTS = 64 };

struct finding {
    const struct story_input* input;
    struct story* story;
};

// The thread that had the number then; another thread may have it now.
static struct who who_at(const struct ring_reader* rings, uint32_t number, uint32_t os_tid, uint64_t tick) {
    struct who who = {.thread = number, .os_tid = os_tid};
    if (os_tid == 0) who.os_tid = rings_os_tid_of(rings, number, tick);
    who.ended = who.os_tid == 0 || rings_thread_number(rings->ring, who.os_tid) != number;
    return who;
}

// The damaged link

static bool is_bad_link(const HakRingRecord* record, const void* wanted) {
    (void)wanted;
    return record->event == HAK_EVENT_bad_link;
}

// The link was followed if it is the fault address or, if it is not a valid address, the value of a register.
static bool was_followed(const CrashRecord* record, uint64_t link) {
    if (record->code <= 0) return false;
    if (record->fault_address == link) return true;
    for (unsigned i = 0; i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL && record->registers[i] == link && !is_canonical(link)) return true;
    }
    return false;
}

// The crashed thread's own last one, else any thread's: one thread may have read the link and the next one followed it.
static bool find_link(struct finding* t) {
    struct ring_event found[BAD_LINKS];
    const struct ring_event* chosen = NULL;
    if (t->input->record == NULL) return false;
    size_t count = rings_find(t->input->rings, is_bad_link, NULL, BAD_LINKS, found);
    for (size_t i = 0; i < count; i++) {
        bool own = found[i].os_tid == t->input->os_tid;
        if (!was_followed(t->input->record, found[i].record.b)) continue;
        if (chosen == NULL || own || chosen->os_tid != t->input->os_tid) chosen = &found[i];
    }
    if (chosen == NULL) return false;
    struct story* story = t->story;
    story->has_link = true;
    story->slab = story->block_slab = chosen->record.a;
    story->block = chosen->record.ptr;
    story->link = chosen->record.b;
    story->link_tick = chosen->record.tsc;
    story->reader = ring_event_who(chosen);
    return true;
}

// Who had the block when its link was read, from its mallocs and frees.
static void find_block_state(struct finding* t) {
    struct story* story = t->story;
    struct ring_event found[BLOCK_EVENTS];
    size_t count = history_of_block(t->input->rings, story->block, BLOCK_EVENTS, found);
    const HakRingRecord* last = NULL;
    for (size_t i = 0; i < count && found[i].record.tsc < story->link_tick; i++) {
        const HakRingRecord* record = &found[i].record;
        if (record->event != HAK_EVENT_malloc && record->event != HAK_EVENT_free) continue;
        bool is_malloc = record->event == HAK_EVENT_malloc;
        bool twice = is_malloc && last != NULL && last->event == HAK_EVENT_malloc;
        if (is_malloc && !twice) story->first_malloc_tick = record->tsc;
        if (is_malloc) story->malloc_tick = record->tsc;
        if (is_malloc) story->block_was_given_twice = twice;
        last = record;
    }
    story->block_was_live = last != NULL && last->event == HAK_EVENT_malloc;
    story->block_was_free = last != NULL && last->event == HAK_EVENT_free;
}

// The drain

static const HakForeignDrain* drain_of(const struct finding* t, uint32_t slab) {
    const HakRingFile* ring = t->input->rings->ring;
    const HakForeignDrain* drain =
        &hak_ring_foreign_drains((HakRingFile*)(uintptr_t)ring)[slab % HAK_RING_FOREIGN_DRAINS];
    return drain->tsc != 0 && drain->slab == slab && slab != 0 ? drain : NULL;
}

static void take_drain(struct finding* t, const HakForeignDrain* drain, enum story_tie tie) {
    struct story* story = t->story;
    story->tie = tie;
    story->slab = drain->slab;
    story->change = drain->change;
    story->drain_tick = drain->tsc;
    story->blocks = drain->blocks;
    story->drainer = who_at(t->input->rings, drain->thread, drain->os_tid, drain->tsc);
    story->owner = who_at(t->input->rings, drain->owner, drain->owner_os_tid, drain->tsc);
}

// The last drain that began before a time, from the rings. The record for each slab has only the last of all.
static bool take_drain_from_rings(struct finding* t, uint64_t before) {
    struct story* story = t->story;
    struct ring_event found[SLAB_EVENTS];
    size_t count = history_of_slab(t->input->rings, story->slab, SLAB_EVENTS, found);
    for (size_t i = count; i-- > 0;) {
        const HakRingRecord* record = &found[i].record;
        if (record->event != HAK_EVENT_foreign_drain || record->tsc > before) continue;
        story->tie = TIE_LINK;
        story->change = (uint32_t)(record->b >> 32);
        story->drain_tick = record->tsc;
        story->blocks = (uint32_t)record->b;
        story->drainer = ring_event_who(&found[i]);
        // The same thread recorded just before it who owned the slab.
        for (size_t j = i; j-- > 0;) {
            if (found[j].record.event != HAK_EVENT_violation || found[j].thread != found[i].thread) continue;
            uint32_t number;
            if (heap_view_thread_of(t->input->heap, found[j].record.b, &number))
                story->owner = who_at(t->input->rings, number, 0, record->tsc);
            break;
        }
        return true;
    }
    return false;
}

static void count_other_drains(struct story* story, const struct ring_reader* rings) {
    struct ring_event found[SLAB_EVENTS];
    size_t count = history_of_slab(rings, story->slab, SLAB_EVENTS, found);
    for (size_t i = 0; i < count; i++)
        story->other_drains += found[i].record.event == HAK_EVENT_foreign_drain &&
                               (found[i].thread != story->drainer.thread || found[i].os_tid != story->drainer.os_tid);
}

// A drain harms a block that its owner takes off the list meanwhile, so it began before that block was handed out.
static bool tie_by_link(struct finding* t) {
    struct story* story = t->story;
    if (!find_link(t)) return false;
    find_block_state(t);
    uint64_t before = story->first_malloc_tick != 0 ? story->first_malloc_tick : story->link_tick;
    const HakForeignDrain* drain = drain_of(t, story->slab);
    if (drain != NULL && drain->tsc <= before)
        take_drain(t, drain, TIE_LINK);
    else if (!take_drain_from_rings(t, before) && drain != NULL) {
        story->drain_is_later = true;
        if (drain->tsc <= story->link_tick || !take_drain_from_rings(t, story->link_tick))
            take_drain(t, drain, TIE_LINK);
    }
    if (story->tie == TIE_LINK) count_other_drains(story, t->input->rings);
    return true;
}

static bool is_violation(const HakRingRecord* record, const void* wanted) {
    return record->event == HAK_EVENT_violation && record->a == *(const uint32_t*)wanted;
}

// The assertion stops the thread before it drains, so there is no record of the drain, but the line has everything.
static bool tie_by_check(struct finding* t) {
    const struct check_message* check = t->input->check;
    struct story* story = t->story;
    if (check == NULL || strcmp(check->check, "ownership") != 0) return false;
    const char* drains = strstr(check->line, "thread ");
    unsigned thread, slab, owner;
    if ((drains == NULL || sscanf(drains, "thread %u drains slab %u, which thread %u", &thread, &slab, &owner) != 3) &&
        sscanf(check->line, "[OWNERSHIP ERROR] Thread %u draining slab %u owned by %u", &thread, &slab, &owner) != 3)
        return false;
    struct ring_event seen;
    bool dated = rings_find(t->input->rings, is_violation, &slab, 1, &seen) == 1;
    story->tie = TIE_CHECK;
    story->slab = slab;
    story->change = change_of_site(check->site);
    story->drain_tick = dated ? seen.record.tsc : 0;
    story->blocks = heap_view_slab(t->input->heap, slab).remote;
    story->drainer = (struct who){.thread = thread, .os_tid = t->input->thread == thread ? t->input->os_tid : 0};
    story->owner = who_at(t->input->rings, owner, 0, dated ? seen.record.tsc : UINT64_MAX);
    return true;
}

static void later_drain(const struct finding* t, uint32_t slab, const HakForeignDrain** latest) {
    const HakForeignDrain* drain = drain_of(t, slab);
    if (drain != NULL && (*latest == NULL || drain->tsc > (*latest)->tsc)) *latest = drain;
}

static bool tie_by_pointer(struct finding* t) {
    const CrashRecord* record = t->input->record;
    const HakForeignDrain* latest = NULL;
    if (record == NULL || record->code <= 0) return false;
    later_drain(t, heap_view_find(t->input->heap, record->fault_address).slab, &latest);
    for (unsigned i = 0; latest == NULL && i < CRASH_REGISTERS; i++) {
        if (register_name(i) != NULL)
            later_drain(t, heap_view_find(t->input->heap, record->registers[i]).slab, &latest);
    }
    if (latest != NULL) take_drain(t, latest, TIE_POINTER);
    return latest != NULL;
}

static bool names_some_slab(const HakRingRecord* record, const void* wanted) {
    (void)wanted;
    return record->a != 0;
}

static bool tie_by_last_seen(struct finding* t) {
    enum { LAST = 512, OWN = 8 };
    const HakForeignDrain* latest = NULL;
    struct ring_event* found = calloc(LAST, sizeof *found);
    size_t count = found != NULL ? rings_find(t->input->rings, names_some_slab, NULL, LAST, found) : 0;
    for (size_t i = count, own = 0; i-- > 0 && own < OWN;) {
        if (found[i].os_tid != t->input->os_tid || t->input->os_tid == 0) continue;
        own++;
        later_drain(t, found[i].record.a, &latest);
    }
    free(found);
    if (latest != NULL) take_drain(t, latest, TIE_LAST_SEEN);
    return latest != NULL;
}

static bool tie_to_latest(struct finding* t) {
    HakRingFile* ring = (HakRingFile*)(uintptr_t)t->input->rings->ring;
    const HakForeignDrain* latest = NULL;
    const HakForeignDrain* earlier = NULL;  // what came after the damaged link was read did not damage it
    if (ring->magic != HAK_RING_MAGIC) return false;
    for (uint32_t i = 0; i < HAK_RING_FOREIGN_DRAINS; i++) {
        uint32_t slab = hak_ring_foreign_drains(ring)[i].slab;
        const HakForeignDrain* drain = drain_of(t, slab);
        later_drain(t, slab, &latest);
        if (drain != NULL && drain->tsc <= t->story->link_tick) later_drain(t, slab, &earlier);
    }
    if (latest == NULL) return false;
    t->story->drain_is_later = t->story->link_tick != 0 && earlier == NULL;
    take_drain(t, earlier != NULL ? earlier : latest, TIE_LATEST);
    return true;
}

void story_find(struct story* story, const struct story_input* input) {
    *story = (struct story){.tie = TIE_NONE};
    struct finding finding = {input, story};
    bool found = tie_by_check(&finding) || tie_by_link(&finding) || tie_by_pointer(&finding) ||
                 tie_by_last_seen(&finding) || tie_to_latest(&finding);
    if (!found) return;
    // A damaged link, but no known drain of its slab: the damage may have come through another slab.
    if (story->tie == TIE_NONE) tie_to_latest(&finding);
    story->site = change_site(story->change);
    story->json = story_tell(story, input);
}
