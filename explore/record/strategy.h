// A strategy answers the choices of runs, one run after the other.
// Thread-safety: none needed: one run at a time.
// Errors: none.
#ifndef EXPLORE_RECORD_STRATEGY_H
#define EXPLORE_RECORD_STRATEGY_H

#include "record/schedule.h"

enum { ALTERNATIVES_MOST = 8, PRUNE = 255 };

typedef struct {
    uint8_t kind;      // ChoiceKind
    uint8_t thread;    // whose moment; THREADS_MOST: the run's beginning
    uint8_t count;     // of alternatives, at least 2
    uint8_t preempts;  // THREAD: the alternatives after the first take the processor from a thread that could go on
    uint8_t resumes;   // THREAD: the thread has not come to a point since another one ran
    uint32_t moment;
    uint8_t value[ALTERNATIVES_MOST];  // as Deviation.value; the first alternative comes first
} Choice;

typedef struct Strategy {
    const char* name;
    void (*begin_run)(void);
    // The number of an alternative, or PRUNE: what follows is explored already.
    unsigned (*choose)(const Choice* choice);
    // Nothing is to be chosen: that thread alone can go on. true: what follows is explored already. NULL: never.
    bool (*is_known)(unsigned thread);
    // Whether all that the run has done so far was done, and checked, by the run before it. NULL: no.
    bool (*repeats)(void);
    // After a run. false: all that the strategy wants is explored.
    bool (*next_run)(void);
} Strategy;

#endif
