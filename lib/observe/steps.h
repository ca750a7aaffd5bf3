// The named steps of the ownership protocol, where they happen. docs/OWNERSHIP.md uses them in its proof, tests/model
// explores them, and a test compares the three. A step is one access to something shared, or a change of what only the
// slab's owner or the TCB's thread may touch (BIND, TK, LOCAL and others). Its name stands right before.
// In the checked build a thread may yield there (observe/chaos.h); the explored build notes them. The release build has
// none of this.
#ifndef HAK_OBSERVE_STEPS_H
#define HAK_OBSERVE_STEPS_H

#include "observe/chaos.h"

typedef enum {
#define PROTOCOL_STEP(name, words) HAK_STEP_##name,
#include "observe/steps.def"
#undef PROTOCOL_STEP
    HAK_STEP_COUNT
} HakStep;

#if HAK_EXPLORED
#define STEP(name) explored_step(HAK_STEP_##name)
#else
#define STEP(name) ((void)HAK_STEP_##name, chaos_point())
#endif

#endif
