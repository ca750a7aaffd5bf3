#include "sample/suspect.h"

#include "os/os.h"

// The slot of the address, and the one before it.
static SlotView own_view, before_view;

static bool is_same_thread(const SampleCall* a, const SampleCall* b) {
    return a->thread == b->thread && a->system_thread == b->system_thread;
}

// Whether the block was there before the access: what the thread of the access did itself, it did before. A signal
// takes far less than a second from the access to its handler.
static bool is_older_than_access(const SlotView* view, const SampleCall* by) {
    enum { SURE_MS = 1000 };
    const Slot* slot = &view->fields;
    if (!view->whole) return false;
    return !slot->used_before || is_same_thread(&slot->allocated, by) ||
           (!slot_view_is_live(view) && is_same_thread(&slot->freed, by)) || os_clock_ms() - slot->since > SURE_MS;
}

static bool is_in(const char* at, const char* start, size_t size) {
    return (size_t)(at - start) < size;
}

static Suspect of_view(Slot* slot, const SlotView* view, const char* at, const SampleCall* by) {
    const Slot* seen = &view->fields;
    Suspect out = {.slot = slot, .view = view, .freed = !slot_view_is_live(view)};
    const char *start = seen->block, *end = start + seen->size;
    out.place = at < start ? PLACE_BEFORE : at < end ? PLACE_INSIDE : PLACE_BEHIND;
    out.distance = (size_t)(at < start ? start - at : at < end ? at - start : at - end);
    out.open = !view->whole || (!out.freed && is_in(at, seen->open, seen->open_bytes));
    out.unsure = out.open || !is_older_than_access(view, by);
    bool is_far = out.distance >= PAGE_SIZE_BYTES && is_in(at, slot_start(slot), hak_slots.slot_bytes);
    bool is_dead = out.freed || out.open || (out.unsure && is_far);  // an earlier block is more likely than a far miss
    out.check = is_dead ? "use_after_free" : at < start ? "underflow" : "overflow";
    return out;
}

// Live blocks come first, then the nearer one.
static Suspect nearer(Suspect a, Suspect b) {
    if (a.slot == NULL || b.slot == NULL) return a.slot ? a : b;
    Suspect out = a.freed != b.freed ? (a.freed ? b : a) : b.distance < a.distance ? b : a;
    out.unsure = a.unsure || b.unsure;
    return out;
}

static Suspect of_used(Slot* slot, SlotView* view, const char* at, const SampleCall* by) {
    if (slot == NULL) return (Suspect){0};
    slot_view(slot, view);
    return view->fields.used ? of_view(slot, view, at, by) : (Suspect){0};
}

Suspect suspect_of(const void* address, const SampleCall* by) {
    const char* at = address;
    Slot* slot = slot_at(at);
    bool between = slot == NULL || at < slot_start(slot);
    Suspect own = of_used(slot, &own_view, at, by);
    if (!between && own.slot) return own;
    Slot* before = slot ? slot_before(slot) : &hak_slots.slot[hak_slots.count - 1];
    Suspect out = nearer(of_used(before, &before_view, at, by), between ? own : (Suspect){0});
    out.open = false;  // no block opens a guard page
    return out;
}
