#include "runtime/scheduler.h"

#include "record/event.h"
#include "runtime/limit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

Run run;
static Schedule own_schedule;
Schedule* run_schedule = &own_schedule;

// --- who can go on

// Since the thread has looked. How far back that goes is counted in moments, as these do not depend on which words are
// known to be shared.
static bool has_changed(const Thread* t) {
    uint32_t first = t->moment < SEEN_MOST ? 0 : t->moment - SEEN_MOST + 1;
    if (first <= t->seen_since) first = t->seen_since + 1;
    for (uint32_t moment = first; moment <= t->moment; moment++) {
        const Seen* seen = &t->seen[moment % SEEN_MOST];
        if (seen->moment != moment) continue;
        if (stores_of_others(location_at(seen->location), (unsigned)(t - threads)) != seen->stores) return true;
    }
    return false;
}

static bool can_go_on(const Thread* t) {
    switch ((ThreadState)t->state) {
    case READY: return true;
    case SPINS: return has_changed(t);
    case SLEEPS: return t->was_woken;
    case AWAITS: return *(const volatile bool*)t->waits_for;
    case UNBORN:
    case FINISHED:
    case GONE: break;
    }
    return false;
}

static void go_on(unsigned thread) {
    Thread* t = &threads[thread];
    if (t->state == SPINS) t->seen_since = t->moment;
    t->state = READY;
    t->was_woken = false;
    t->looks_alone = 0;
}

// --- nobody can

static bool all_done(void) {
    for (unsigned t = 0; t < thread_count; t++)
        if (threads[t].state != FINISHED && threads[t].state != GONE && threads[t].state != UNBORN) return false;
    return true;
}

static const char* what_waits(const Thread* t) {
    switch ((ThreadState)t->state) {
    case SPINS: return "looks again and again";
    case SLEEPS: return "sleeps until it is woken";
    case AWAITS: return "waits for a block";
    default: return "";
    }
}

static void describe_waits(char* out, size_t size) {
    size_t length = 0;
    for (unsigned t = 0; t < thread_count && length < size; t++)
        if (what_waits(&threads[t])[0])
            length += (size_t)snprintf(out + length, size - length, "%s%c %s", length ? ", " : "", 'A' + (int)t,
                                       what_waits(&threads[t]));
}

// The thread that lets time pass: of those that look again, the one that did so least. NOBODY: there is none.
static unsigned who_looks_again(void) {
    unsigned found = NOBODY;
    for (unsigned t = 0; t < thread_count; t++)
        if (threads[t].state == SPINS && (found == NOBODY || threads[t].looks_alone < threads[found].looks_alone))
            found = t;
    return found;
}

// No operation of the allocator waits for a block: if nobody sleeps on a lock, the scenario's programs are at fault.
static void fault_deadlock(const char* waits) {
    for (unsigned t = 0; t < thread_count; t++)
        if (threads[t].state == SLEEPS) run_fault("deadlock", "nobody can go on: %s", waits);
    run_fault("scenario", "nobody can go on: %s; another thread may have freed it, or waits for this one", waits);
}

static unsigned let_time_pass(void) {
    char waits[256] = "";
    unsigned t = who_looks_again();
    describe_waits(waits, sizeof waits);
    if (t == NOBODY) fault_deadlock(waits);
    if (++threads[t].looks_alone > LOOKS_ALONE_MOST) run_fault("livelock", "nothing changes any more: %s", waits);
    threads[t].state = READY;
    threads[t].seen_since = threads[t].moment;
    return t;
}

// --- choices

enum { MANY, ONE_TO_COME, ONE_WAS };  // Thread.one_point

static void note_deviation(const Choice* choice, unsigned picked) {
    if (picked == 0) return;
    run_schedule->at[run_schedule->count++] =
        (Deviation){choice->moment, choice->thread, choice->kind, choice->value[picked]};
}

// A schedule that has no room for more goes on by itself, so that it can be repeated.
static unsigned ask(const Choice* choice) {
    if (run_schedule->count == DEVIATIONS_MOST) {
        run_meets_limit("a schedule with more deviations than a string has");
        return 0;
    }
    unsigned picked = run.limits.strategy->choose(choice);
    if (picked == PRUNE) thread_leave(RUN_PRUNED);
    note_deviation(choice, picked);
    return picked;
}

unsigned scheduler_choose(ChoiceKind kind, unsigned count) {
    Thread* me = &threads[current_thread];
    Choice choice = {.kind = (uint8_t)kind, .thread = (uint8_t)current_thread, .moment = me->moment};
    choice.count = (uint8_t)(count < ALTERNATIVES_MOST ? count : ALTERNATIVES_MOST);
    for (unsigned i = 0; i < choice.count; i++) choice.value[i] = (uint8_t)i;
    unsigned picked = ask(&choice);
    me->history = hash_add(me->history, (uint64_t)kind << 8 | picked);
    return picked;
}

// The current thread goes on, and has not come to a point since another one ran. Two runs in which the switch came at
// different moments often meet here.
static bool resumes;

static void leave_if_known(unsigned next) {
    bool (*is_known)(unsigned thread) = run.limits.strategy->is_known;
    if (is_known && is_known(next)) thread_leave(RUN_PRUNED);
}

// Whether the thread was switched away from at a point. Others come to one before they do what others can see.
static bool is_at_point(const Thread* t) {
    return t->state == READY && t->moment != 0;
}

// The alternatives for who goes on, the current thread first if it can.
static void list_threads(Choice* choice, bool current_can) {
    choice->count = 0;
    if (current_can) choice->value[choice->count++] = (uint8_t)current_thread;
    for (unsigned t = 0; t < thread_count; t++)
        if ((t != current_thread || !current_can) && can_go_on(&threads[t]))
            choice->value[choice->count++] = (uint8_t)t;
}

static void note_switch(unsigned to, bool preempts) {
    run.preemptions += preempts;
    record((Event){.kind = EVENT_SWITCH,
                   .thread = (uint8_t)current_thread,
                   .other = (uint8_t)to,
                   .value = preempts,
                   .moment = threads[current_thread].moment});
}

static void choose_thread(bool current_can) {
    Choice choice = {.kind = CHOOSE_THREAD,
                     .thread = (uint8_t)current_thread,
                     .moment = threads[current_thread].moment,
                     .preempts = current_can,
                     .resumes = resumes};
    list_threads(&choice, current_can);
    if (choice.count == 0) {
        if (all_done()) thread_leave(RUN_OK);
        choice.value[choice.count++] = (uint8_t)let_time_pass();
    } else if (choice.count > 1) {
        unsigned picked = ask(&choice);
        if (picked) choice.value[0] = choice.value[picked];
    } else if (current_can ? resumes : is_at_point(&threads[choice.value[0]])) {
        leave_if_known(choice.value[0]);
    }
    unsigned to = choice.value[0];
    if (threads[to].state != READY) go_on(to);
    resumes = to != current_thread;
    if (!resumes) return;
    note_switch(to, current_can);
    thread_switch(to);
}

// What stands between two points may touch any memory. So all points are in one order, which the histories have.
static void join_order_of_points(Thread* me) {
    static Hash order;
    static uint32_t run_of_order;
    if (run_of_order != current_run) order = (Hash){0, 0};
    run_of_order = current_run;
    order = me->history = hash_join(me->history, order);
}

// Of a program that is too long nothing can be said; a call that is too long does not end.
static void check_moments(const Thread* me) {
    if (me->moment - me->began > MOMENTS_OF_A_CALL)
        run_fault("livelock", "thread %c does not come to its end", 'A' + (int)current_thread);
    if (me->moment > MOMENTS_MOST)
        run_fault("scenario", "thread %c does more than a run can hold: %d moments", 'A' + (int)current_thread,
                  MOMENTS_MOST);
}

void scheduler_points_are_one(bool one) {
    threads[current_thread].one_point = one && !run.limits.every_moment ? ONE_TO_COME : MANY;
}

void scheduler_point(void) {
    Thread* me = &threads[current_thread];
    if (me->one_point == ONE_WAS) return;
    if (me->one_point == ONE_TO_COME) me->one_point = ONE_WAS;
    if (run.limits.follow) join_order_of_points(me);
    check_moments(me);
    choose_thread(true);
}

void scheduler_wait(ThreadState state, const void* waits_for) {
    Thread* me = &threads[current_thread];
    me->moment++;
    me->waits_for = waits_for;
    me->state = (uint8_t)state;
    me->history = hash_add(me->history, state);
    record((Event){.kind = EVENT_WAIT,
                   .thread = (uint8_t)current_thread,
                   .moment = me->moment,
                   .address = (uint64_t)(uintptr_t)waits_for,
                   .value = state});
    choose_thread(false);
    record((Event){.kind = EVENT_GO_ON, .thread = (uint8_t)current_thread, .moment = me->moment});
}

void scheduler_look_again(void) {
    Thread* me = &threads[current_thread];
    if (!has_changed(me)) {
        scheduler_wait(SPINS, NULL);
        return;
    }
    me->moment++;
    me->seen_since = me->moment;
    check_moments(me);
}

// The loop may be a short one, and others may be slow.
void scheduler_spin(void) {
    enum { LOOKS_IN_VAIN_MOST = 2 };
    Thread* me = &threads[current_thread];
    me->moment++;
    if (has_changed(me)) {
        me->looks_in_vain = 0;
    } else if (me->looks_in_vain < LOOKS_IN_VAIN_MOST && scheduler_choose(CHOOSE_TIME, 2)) {
        me->looks_in_vain++;
        return;
    }
    scheduler_look_again();
    me->looks_in_vain = 0;
}

void scheduler_end_thread(void) {
    Thread* me = &threads[current_thread];
    me->moment++;
    me->state = FINISHED;
    record((Event){.kind = EVENT_END, .thread = (uint8_t)current_thread, .moment = me->moment});
    choose_thread(false);
    __builtin_unreachable();
}

RunEnd scheduler_run(void) {
    Choice choice = {.kind = CHOOSE_THREAD, .thread = THREADS_MOST};
    for (unsigned t = 0; t < thread_count; t++)
        if (threads[t].state == READY) choice.value[choice.count++] = (uint8_t)t;
    unsigned picked = choice.count > 1 ? run.limits.strategy->choose(&choice) : 0;
    if (picked == PRUNE) return RUN_PRUNED;
    run_schedule->first = choice.value[picked];
    run.active = true;
    resumes = false;
    int end = thread_enter(choice.value[picked]);
    run.active = false;
    return (RunEnd)end;
}

void scheduler_begin_process(Hash state) {
    for (unsigned t = 0; t < thread_count; t++)
        if (threads[t].state == GONE) threads[t].history = (Hash){0, 0};
    threads[current_thread].history = state;
    threads[current_thread].seen_since = threads[current_thread].moment;
    if (!recording.on) locations_begin_age();
    leave_if_known(current_thread);
    threads[current_thread].history = hash_add(state, 1);  // what is known is the state here, not at the next point
    resumes = false;
}

Hash scheduler_state(void) {
    Hash all = {77, 77};
    for (unsigned t = 0; t < thread_count; t++) all = hash_join(all, threads[t].history);
    return all;
}

// --- faults

void run_fault(const char* check, const char* format, ...) {
    va_list args;
    va_start(args, format);
    if (run.check[0] == '\0') {
        snprintf(run.check, sizeof run.check, "%s", check);
        vsnprintf(run.text, sizeof run.text, format, args);
        run.fault_thread = (uint8_t)current_thread;
        record(
            (Event){.kind = EVENT_FAULT, .thread = (uint8_t)current_thread, .moment = threads[current_thread].moment});
    }
    va_end(args);
    run.active = false;
    thread_leave(RUN_FAULT);
}
