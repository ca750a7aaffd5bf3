#include "minimise/operations.h"

#include "record/event.h"

bool operation_is_left_out(const Replay* replay, unsigned thread, uint32_t number) {
    for (uint32_t i = 0; i < replay->dropped_count; i++)
        if (replay->dropped[i].thread == thread && replay->dropped[i].op == number) return true;
    return false;
}

uint32_t operation_number(const Replay* replay, const Scenario* whole, unsigned thread, uint32_t kept) {
    for (uint32_t number = 1; number <= whole->op_count[thread]; number++)
        if (!operation_is_left_out(replay, thread, number) && --kept == 0) return number;
    return 0;
}

typedef struct {
    uint32_t first, last;  // moments; first > last: none
} Moments;

// Of the operation in the recorded run. One that did not return goes on to the end.
static Moments moments_of(const Replay* of, const Scenario* whole, unsigned thread, uint32_t number) {
    Moments moments = {1, 0};
    uint32_t kept = recording.count < EVENTS_MOST ? recording.count : EVENTS_MOST;
    bool inside = false;
    for (uint32_t i = 0; i < kept; i++) {
        const Event* e = &recording.at[i];
        if (e->thread != thread) continue;
        if (e->kind == EVENT_CALL && operation_number(of, whole, thread, (uint32_t)e->value) == number) {
            moments = (Moments){e->moment + 1, UINT32_MAX};
            inside = true;
        } else if (e->kind == EVENT_RETURN && inside) {
            moments.last = e->moment;
            break;
        }
    }
    return moments;
}

static void forget_moments(Schedule* schedule, unsigned thread, Moments moments) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < schedule->count; i++) {
        Deviation d = schedule->at[i];
        if (d.thread == thread && d.moment >= moments.first) {
            if (d.moment <= moments.last) continue;
            d.moment -= moments.last - moments.first + 1;
        }
        schedule->at[kept++] = d;
    }
    schedule->count = kept;
}

// In the order of thread and number, so that two ways to the same scenario give the same string.
static void add_sorted(Replay* replay, DroppedOp dropped) {
    uint32_t at = replay->dropped_count++;
    for (; at > 0; at--) {
        DroppedOp before = replay->dropped[at - 1];
        if (before.thread < dropped.thread || (before.thread == dropped.thread && before.op < dropped.op)) break;
        replay->dropped[at] = before;
    }
    replay->dropped[at] = dropped;
}

// Several operations of one thread are left out from the last to the first: moments of `of` are still those of
// `replay`.
bool operation_leave_out(Replay* replay, const Replay* of, const Scenario* whole, unsigned thread, uint32_t number) {
    if (operation_is_left_out(replay, thread, number)) return true;
    if (replay->dropped_count == DROPPED_MOST) return false;
    Moments moments = moments_of(of, whole, thread, number);
    if (moments.first <= moments.last) forget_moments(&replay->schedule, thread, moments);
    add_sorted(replay, (DroppedOp){(uint8_t)thread, (uint16_t)number});
    return true;
}
