// A scenario: what each thread does before the runs, and in each run. docs/EXPLORE.md has the language.
//
//   # three threads free into one slab
//   size s 1792
//   setup A: 34*malloc s, a=malloc s, b=malloc s
//   setup B: 35*malloc s
//   thread A: c=malloc s
//   thread B: free a, flush, d=malloc s
//   thread C: free b, exit
//
// Thread-safety: none needed.
// Errors: scenario_parse gives file, line and what was expected.
#ifndef EXPLORE_SCENARIO_SCENARIO_H
#define EXPLORE_SCENARIO_SCENARIO_H

#include "record/schedule.h"

enum { OPS_MOST = 48, SETUP_OPS_MOST = 64, BLOCKS_MOST = 48, SETTINGS_MOST = 8, NAME_MOST = 32, PREEMPTIONS_USUAL = 2 };
enum { PREEMPTIONS_MOST = 200 };  // of a bound
enum { PLACEMENTS_MOST = 16, SCENARIO_BOUNDS_MOST = 6 };

typedef enum {
#define OPERATION(name, word, form, words) OP_##name,
#include "scenario/operations.def"
#undef OPERATION
    OP_COUNT
} OpKind;

// How the language writes an operation: scenario/operations.def.
typedef struct {
    const char *word, *form;
} OpForm;

extern const OpForm op_forms[OP_COUNT];

typedef struct {
    uint8_t kind;    // OpKind
    uint8_t thread;  // of a setup's operation; START: the thread that is born
    uint8_t block;   // number of the block that it makes or takes
    uint8_t old;     // REALLOC: the block that it takes
    uint32_t count;  // repeats
    uint64_t size;   // bytes, milliseconds, or number of calls
} Op;

// Where a block has to be, or have been: at the place of another one, elsewhere, in its slab, or outside of that.
typedef enum { PLACED_AT, PLACED_OFF, PLACED_IN, PLACED_OUTSIDE, PLACED_COUNT } PlacedHow;
extern const char* const placed_words[PLACED_COUNT];

typedef struct {
    uint8_t block, other;
    uint8_t how;  // PlacedHow
} Placement;

// Of something that a run can be asked for: the name of a step of the protocol, or a word of BOUND_WORDS.
typedef struct {
    char what[12];
    bool least;  // at least `number`; otherwise at most
    uint64_t number;
} Bound;

#define BOUND_WORDS "slabs", "superslabs", "dirty", "mapped", "calls", "looking"

typedef struct {
    char name[SCENARIO_NAME_MOST];
    char about[128];  // its first comment
    unsigned thread_count;
    bool begins[THREADS_MOST];  // false: another thread starts it
    uint32_t setup_count, op_count[THREADS_MOST];
    Op setup[SETUP_OPS_MOST];
    Op op[THREADS_MOST][OPS_MOST];
    unsigned block_count;
    char block_name[BLOCKS_MOST][NAME_MOST];
    unsigned setting_count;
    char setting[SETTINGS_MOST][2][NAME_MOST];  // HAKMEM_ variables, without that
    uint32_t failures;                          // system calls that may fail
    uint32_t preemptions, stale;                // how far the complete search of the suite goes
    unsigned placement_count, bound_count;
    Placement placement[PLACEMENTS_MOST];
    Bound bound[SCENARIO_BOUNDS_MOST];
} Scenario;

// Reads the text of a scenario. false: `message` is "NAME:LINE: expected ..., not ...".
bool scenario_parse(const char* name, const char* text, Scenario* scenario, char* message, size_t size);
// The same for a file; its name without folder and ".scenario" is the scenario's.
bool scenario_read(const char* path, Scenario* scenario, char* message, size_t size);
// Leaves out operations of programs. false: there is no such operation.
bool scenario_drop(Scenario* scenario, const DroppedOp* dropped, uint32_t count);
// Random scenario number `seed`, named random-<seed>.
void scenario_random(uint64_t seed, Scenario* scenario);
// Whether some thread makes a copy of the process without handlers.
bool scenario_copies(const Scenario* scenario);
// How many threads have a program.
unsigned scenario_programs(const Scenario* scenario);
// Whether system calls may fail in it.
bool scenario_fails(const Scenario* scenario);
// Whether it says how its threads do what they do: then every operation counts, and none can be left out.
bool scenario_expects(const Scenario* scenario);
// Writes an operation as the language has it.
size_t scenario_format_op(const Scenario* scenario, const Op* op, char* out, size_t size);
// Writes the scenario as a file has it.
size_t scenario_format(const Scenario* scenario, char* out, size_t size);
// The digits of a hash of that. Comments, names of sizes and bounds of the search are no part of it.
void scenario_hash(const Scenario* scenario, char digits[TEXT_HASH + 1]);

#endif
