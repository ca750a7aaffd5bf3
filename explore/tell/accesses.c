#include "tell/accesses.h"

#include "code.h"
#include "record/text.h"
#include "runtime/race.h"
#include "runtime/scheduler.h"
#include "runtime/steps.h"
#include "runtime/watch.h"
#include "tell/names.h"

#include <stdio.h>
#include <string.h>

// --- which

static uint32_t kept(void) {
    return recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
}

// The last one before `end`, by `thread`, or by any if that is NOBODY.
static uint32_t last_access(uint32_t end, unsigned thread, bool (*fits)(unsigned flags)) {
    for (uint32_t i = end; i > 0; i--) {
        const Event* e = &recording.at[i - 1];
        if (e->kind == EVENT_ACCESS && (thread == NOBODY || e->thread == thread) && fits((unsigned)e->value))
            return i - 1;
    }
    return NO_EVENT;
}

static bool any(unsigned flags) {
    (void)flags;
    return true;
}

static bool is_write(unsigned flags) {
    return flags & ACCESS_WRITE;
}

static bool is_as_earlier(unsigned flags) {
    return flags == run.fault_earlier;
}

// The thread's last access of that kind races as well, and is the nearest.
Accesses accesses_find(void) {
    if (run.fault_bytes == 0) return (Accesses){NO_EVENT, NO_EVENT};
    uint32_t later = last_access(kept(), run.fault_thread, any);
    if (run.fault_other == NOBODY) return (Accesses){last_access(kept(), NOBODY, is_write), NO_EVENT};
    return (Accesses){later == NO_EVENT ? NO_EVENT : last_access(later, run.fault_other, is_as_earlier), later};
}

uint16_t access_after(uint32_t event) {
    const unsigned thread = recording.at[event].thread;
    for (uint32_t i = event; i > 0; i--) {
        const Event* e = &recording.at[i - 1];
        if (e->thread != thread) continue;
        if (e->kind == EVENT_STEP) return e->step;
        if (e->kind == EVENT_CALL) break;
    }
    return HAK_STEP_COUNT;
}

// --- where in the code

static bool is_of_allocator(const Event* e) {
    return e->site != SITE_PROGRAM && e->site != SITE_SYSTEM;
}

// The compiler notes "../lib/slab/slab.c", or all of the path.
static const char* from_root(const char* path) {
    const char* up = strstr(path, "../");
    for (const char* next = up; next; next = strstr(next + 1, "../")) up = next;
    return up ? up + strlen("../") : path;
}

// The site is where the call that tells of the access returns to.
AccessPlace access_place(const Event* e) {
    static struct code code;
    AccessPlace place = {.line = 0};
    if (!is_of_allocator(e) || !code_at_address("/proc/self/exe", (uint64_t)(uintptr_t)e->site - 1, &code))
        return place;
    const char* function = code.inlined_count ? code.inlined[0].function : code.function;
    snprintf(place.function, sizeof place.function, "%.*s", FUNCTION_ROOM - 1, function);
    snprintf(place.file, sizeof place.file, "%.*s", PLACE_ROOM - 1, from_root(code.at.path));
    place.line = (uint32_t)code.at.line;
    return place;
}

// --- in words

static void add_place(Text* text, const Event* e) {
    const AccessPlace place = access_place(e);
    if (e->site == SITE_PROGRAM) text_add(text, ", by the program itself");
    if (e->site == SITE_SYSTEM) text_add(text, ", by a system call");
    if (place.function[0]) text_add(text, ", in %s", place.function);
    if (place.line) text_add(text, " (%s:%u)", place.file, place.line);
}

void access_describe(uint32_t event, char* out, size_t size) {
    const Event* e = &recording.at[event];
    const uint16_t step = access_after(event);
    Text text = {out, size, 0};
    Name place = name_of_place((uint64_t)(uintptr_t)run.fault_address);
    text_add(&text, "%s%s %s", e->value & ACCESS_WRITE ? "writes" : "reads",
             e->value & ACCESS_ATOMIC ? " (atomic)" : "", place.text[0] ? place.text : "it");
    add_place(&text, e);
    if (step < HAK_STEP_COUNT) text_add(&text, ", after %s", step_name(step));
}
