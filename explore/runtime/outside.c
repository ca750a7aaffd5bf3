// What the allocator under test reaches of the C library, under the names that its object file has for it, and stands
// for lib/base/output.c. All of its state is put back with a run.
#include "runtime/system.h"

#include "base/output.h"
#include "record/event.h"
#include "runtime/streams.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

char explored_single_threaded = 1;

// --- failing calls

static uint32_t will_fail[THREADS_AND_SETUP];

void system_calls_will_fail(uint32_t count) {
    will_fail[current_thread] += count;
}

static void note_failure(void) {
    record((Event){
        .kind = EVENT_SYSTEM, .thread = (uint8_t)current_thread, .value = 1, .moment = threads[current_thread].moment});
}

bool system_call_fails(const char* name) {
    (void)name;
    if (will_fail[current_thread]) {
        will_fail[current_thread]--;
        note_failure();
        return true;
    }
    if (run.failures_used == run.limits.failures_most) return false;
    bool fails = scheduler_choose(CHOOSE_FAILURE, 2) == 1;
    run.failures_used += fails;
    if (fails) note_failure();
    return fails;
}

uint64_t __tsan_atomic64_fetch_add(volatile uint64_t* p, uint64_t value, int order);

void system_tick(uint64_t ms) {
    __tsan_atomic64_fetch_add((volatile uint64_t*)&world->clock_ms, ms, __ATOMIC_RELAXED);
}

// --- keys: made in the setup, so they stay for all runs

enum { KEYS = 8, ROUNDS = 4 };
static void (*destructors[KEYS])(void*);
static unsigned keys;
static void* values[THREADS_AND_SETUP][KEYS];
static void* values_at_snapshot[THREADS_AND_SETUP][KEYS];
static bool ended[THREADS_AND_SETUP], ended_at_snapshot[THREADS_AND_SETUP];  // the C library calls no destructor again

int explored_key_create(pthread_key_t* key, void (*destructor)(void*)) {
    if (keys == KEYS) return 1;
    destructors[keys] = destructor;
    *key = keys++;
    return 0;
}

int explored_setspecific(pthread_key_t key, const void* value) {
    values[current_thread][key] = (void*)(uintptr_t)value;
    return 0;
}

void system_snapshot(void) {
    memcpy(values_at_snapshot, values, sizeof values);
    memcpy(ended_at_snapshot, ended, sizeof ended);
}

void system_begin_run(void) {
    memcpy(values, values_at_snapshot, sizeof values);
    memcpy(ended, ended_at_snapshot, sizeof ended);
    memset(will_fail, 0, sizeof will_fail);
    system_clear_messages();
}

uint64_t system_hash(void) {
    uint64_t hash = 0;
    for (unsigned t = 0; t < thread_count; t++)
        for (unsigned k = 0; k < keys; k++) hash = hash_mix(hash, (uint64_t)(uintptr_t)values[t][k]);
    return hash;
}

void system_forget_all(void) {
    memset(values, 0, sizeof values);
    memset(ended, 0, sizeof ended);
    keys = 0;
}

void system_end_thread(void) {
    if (ended[current_thread]) return;
    ended[current_thread] = current_thread != SETUP;
    for (int round = 0; round < ROUNDS; round++)
        for (unsigned k = 0; k < keys; k++) {
            void* value = values[current_thread][k];
            values[current_thread][k] = NULL;
            if (value && destructors[k]) destructors[k](value);
        }
}

// --- forks

static void (*fork_prepare)(void);
static void (*fork_parent)(void);
static void (*fork_child)(void);

int explored_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    fork_prepare = prepare;
    fork_parent = parent;
    fork_child = child;
    return 0;
}

Hash (*system_whole_state)(void);

static void begin_process(void) {
    const Thread* me = &threads[current_thread];
    if (system_whole_state == NULL) return;
    Hash state = hash_add(system_whole_state(), (uint64_t)current_thread << 32 | me->op);
    for (unsigned t = 0; t < thread_count; t++) state = hash_add(state, will_fail[t]);
    scheduler_begin_process(state);
}

// The copy of the memory is made at one instant, so the child sees all that the others have written.
static void leave_others(void) {
    Thread* me = &threads[current_thread];
    for (unsigned t = 0; t < thread_count; t++) {
        Thread* other = &threads[t];
        if (other == me || other->state == UNBORN || other->state == GONE) continue;
        run.cut_off += other->state != FINISHED && other->op != 0;
        other->state = GONE;
        clock_join(&me->clock, other->clock);
    }
    run.forked = true;
    begin_process();
}

bool system_fork(void) {
    Thread* me = &threads[current_thread];
    if (fork_prepare) fork_prepare();
    if (!explored_single_threaded) explored_list_lock();
    me->hurries = false;
    me->moment++;
    scheduler_point();
    bool child = scheduler_choose(CHOOSE_BRANCH, 2) == 0;
    record((Event){.kind = EVENT_FORK, .thread = (uint8_t)current_thread, .value = !child, .moment = me->moment});
    if (child) {
        streams_reset();
        world_note();
        world->is_copy = world->watches_copies;
        leave_others();
        if (fork_child) fork_child();
    } else {
        if (!explored_single_threaded) explored_list_unlock();
        if (fork_parent) fork_parent();
    }
    return child;
}

void system_copy(void) {
    threads[current_thread].moment++;
    scheduler_point();
    world_note();
    world->is_copy = world->watches_copies;
    run.copied = true;
    leave_others();
}

// --- messages

static char messages[2048];
static size_t messages_length;

const char* system_messages(void) {
    return messages;
}

void system_clear_messages(void) {
    messages_length = 0;
    messages[0] = '\0';
}

void output_start(void) {
}

Output output_stderr(void) {
    return (Output){.fd = 2};
}

Output output_stderr_at_load(void) {
    return output_stderr();
}

Output output_keep_stderr(void) {
    return OUTPUT_NOWHERE;
}

Output output_open_file(int folder, const char* name, int* error) {
    (void)folder, (void)name;
    *error = 1;
    return OUTPUT_NOWHERE;
}

Output output_open_folder(const char* name) {
    (void)name;
    return OUTPUT_NOWHERE;
}

void output_close(Output output) {
    (void)output;
}

bool output_is_there(Output output) {
    return output.fd >= 0;
}

bool output_has_name(Output output) {
    (void)output;
    return false;
}

void output_write(Output output, const char* text, size_t length) {
    (void)output;
    size_t room = sizeof messages - 1 - messages_length;
    if (length > room) length = room;
    memcpy(messages + messages_length, text, length);
    messages_length += length;
    messages[messages_length] = '\0';
}

// The last words are what it has printed.
void explored_abort(void) {
    for (char* c = messages; *c; c++)
        if (*c == '\n') *c = c[1] ? ' ' : '\0';
    run_fault("abort", "%s", messages[0] ? messages : "the allocator aborts");
}
