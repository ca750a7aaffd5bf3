// A schedule: what was chosen in a run, as deviations from the first alternatives, and as a string. README.md has the
// form of the string.
// Thread-safety: none needed.
// Errors: false, and what was expected.
#ifndef EXPLORE_RECORD_SCHEDULE_H
#define EXPLORE_RECORD_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    THREADS_MOST = 6,  // of a scenario: A to F
    DEVIATIONS_MOST = 4096,
    SCENARIO_NAME_MOST = 64,
    DROPPED_MOST = 64,
    WITHOUT_MOST = 128,
    TEXT_HASH = 8,   // digits
    STALE_MOST = 3,  // loads that read an older store, of a run of an exhaustive search
};

// What is chosen at a moment. The characters are those of the string; for THREAD the letter of the thread stands there.
typedef enum {
    CHOOSE_THREAD = '>',   // who goes on
    CHOOSE_STORE = '~',    // which store a load reads: 0 the newest, 1 the one before, ...
    CHOOSE_FAILURE = '!',  // whether a system call fails
    CHOOSE_TIME = '%',     // whether a limited wait ends, whatever others do
    CHOOSE_BRANCH = '^',   // fork: which process goes on
} ChoiceKind;

typedef struct {
    uint32_t moment;
    uint8_t thread;  // whose moment
    uint8_t kind;    // ChoiceKind
    uint8_t value;   // the thread that goes on; otherwise the number of the alternative, from 1
} Deviation;

typedef struct {
    uint8_t first;  // the thread that begins
    uint32_t count;
    Deviation at[DEVIATIONS_MOST];  // in the order of the run
} Schedule;

// An operation of a program that is left out.
typedef struct {
    uint8_t thread;
    uint16_t op;  // from 1
} DroppedOp;

// All of "scenario@build:schedule#trace".
typedef struct {
    char scenario[SCENARIO_NAME_MOST];
    DroppedOp dropped[DROPPED_MOST];
    uint32_t dropped_count;
    char build[17];
    char text[TEXT_HASH + 1];    // hash of the scenario's operations and settings, in digits; "": not known
    char changes[WITHOUT_MOST];  // as HAKMEM_CHANGES has it; "": all are in
    char weaken[WITHOUT_MOST];   // "": none
    bool follow;                 // named steps are points, and only a crash ends the run
    Schedule schedule;
    bool has_trace;
    uint32_t trace;
} Replay;

// Writes the string, cut to fit. Returns its whole length.
size_t replay_format(const Replay* replay, char* out, size_t size);
// Reads it. false: *expected says what was expected at *at.
bool replay_parse(const char* text, Replay* replay, const char** at, const char** expected);

// The schedule without deviation `index`.
void schedule_remove(Schedule* schedule, uint32_t index);
// How many of its deviations are switches.
uint32_t schedule_switches(const Schedule* schedule);

#endif
