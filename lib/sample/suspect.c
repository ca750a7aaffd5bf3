#include "sample/suspect.h"

static Suspect of_slot(Slot* slot, const char* at) {
    Suspect out = {.slot = slot, .freed = !slot_is_live(slot)};
    const char *start = slot->block, *end = start + slot->size;
    out.place = at < start ? PLACE_BEFORE : at < end ? PLACE_INSIDE : PLACE_BEHIND;
    out.distance = (size_t)(at < start ? start - at : at < end ? at - start : at - end);
    out.check = out.freed ? "use_after_free" : at < start ? "underflow" : "overflow";
    return out;
}

// Live blocks come first, then the nearer one.
static Suspect nearer(Suspect a, Suspect b) {
    if (a.slot == NULL || b.slot == NULL) return a.slot ? a : b;
    if (a.freed != b.freed) return a.freed ? b : a;
    return b.distance < a.distance ? b : a;
}

static Suspect of_used(Slot* slot, const char* at) {
    return slot && slot->used ? of_slot(slot, at) : (Suspect){0};
}

static bool is_open(const Slot* slot, const char* at) {
    return slot_is_live(slot) && (size_t)(at - slot->open) < slot->open_bytes;
}

Suspect suspect_of(const void* address) {
    const char* at = address;
    Slot* slot = slot_at(at);
    bool between = slot == NULL || at < slot_start(slot);
    if (!between && slot->used) return is_open(slot, at) ? (Suspect){0} : of_slot(slot, at);
    Slot* before = slot ? slot_before(slot) : &hak_slots.slot[hak_slots.count - 1];
    return nearer(of_used(before, at), between ? of_used(slot, at) : (Suspect){0});
}
