#include "runtime/coverage.h"

#include "runtime/scheduler.h"
#include "runtime/steps.h"
#include "slab/remote_word.h"
#include "superslab/owner_word.h"
#include "thread/tls.h"

#include <stdio.h>
#include <string.h>

// --- branches

typedef enum { NO_FORM, SWAP, OWNER, REMOTE, BOTH, ZERO } Form;
enum { OUTCOMES_MOST = 4 };

static const char* const outcome_names[][OUTCOMES_MOST] = {
    [SWAP] = {"done", "refused"},
    [OWNER] = {"mine", "nobody", "another", "none"},
    [REMOTE] = {"empty", "blocks", "unowned"},
    [BOTH] = {"done", "refused", "unowned"},
    [ZERO] = {"zero", "some"},
};

static const struct {
    unsigned step;
    Form form;
} branching[] = {
#define OUTCOMES(step, form) {HAK_STEP_##step, form},
#define ON_SLAB(step)
#include "runtime/outcomes.def"
#undef OUTCOMES
#undef ON_SLAB
};

enum { BRANCHING = sizeof branching / sizeof *branching, BRANCHES = BRANCHING * OUTCOMES_MOST };

// Number in `branching` plus 1, by step.
static uint8_t branching_of[HAK_STEP_COUNT];

static unsigned owner_outcome(uint64_t word) {
    uint64_t owner = word_owner(word);
    if (word_tag(word) == 0) return 3;
    return owner == 0 ? 1 : owner == (uint64_t)(uintptr_t)thread_tls()->tcb ? 0 : 2;
}

static unsigned remote_outcome(uint64_t word) {
    return word == REMOTE_UNOWNED ? 2 : remote_count(word) != 0;
}

static unsigned outcome_of(Form form, EventKind kind, uint64_t value) {
    switch (form) {
    case SWAP: return kind == EVENT_REFUSED;
    case OWNER: return owner_outcome(value);
    case REMOTE: return remote_outcome(value);
    case BOTH: return kind != EVENT_REFUSED ? 0 : value == REMOTE_UNOWNED ? 2 : 1;
    case ZERO: return value != 0;
    case NO_FORM: break;
    }
    return 0;
}

static bool fits(Form form, EventKind kind) {
    if (form == SWAP || form == BOTH) return kind == EVENT_UPDATE || kind == EVENT_REFUSED;
    return kind == EVENT_LOAD;
}

// --- pairs

typedef struct {
    uint32_t run;
    uint8_t thread;
    uint8_t step;
} LastStep;

static const uint8_t on_slab[] = {
#define OUTCOMES(step, form)
#define ON_SLAB(step) HAK_STEP_##step,
#include "runtime/outcomes.def"
#undef OUTCOMES
#undef ON_SLAB
};

enum { SLABS_MOST = 4096, ON_SLAB = sizeof on_slab, PAIRS = ON_SLAB * ON_SLAB };

// Number in `on_slab` plus 1, by step.
static uint8_t on_slab_of[HAK_STEP_COUNT];

static LastStep last_step[SLABS_MOST];

// The slab whose words or meta stand at the address; SLABS_MOST: none.
static SlabNumber slab_of(const volatile void* address) {
    uintptr_t at = (uintptr_t)address;
    uintptr_t s = (at - (uintptr_t)hak_heap.owner) / sizeof *hak_heap.owner;
    if (s < SLABS_MOST) return (SlabNumber)s;
    s = (at - (uintptr_t)hak_heap.remote) / sizeof *hak_heap.remote;
    if (s < SLABS_MOST) return (SlabNumber)s;
    s = (at - (uintptr_t)hak_heap.meta) / sizeof *hak_heap.meta;
    return s < SLABS_MOST ? (SlabNumber)s : SLABS_MOST;
}

// --- items: steps, then branches, then pairs

enum { FIRST_BRANCH = HAK_STEP_COUNT, FIRST_PAIR = FIRST_BRANCH + BRANCHES, ITEMS = FIRST_PAIR + PAIRS };

static bool covered[ITEMS];  // of the steps, see steps_reached

static void index_steps(void) {
    for (unsigned b = 0; b < BRANCHING; b++) branching_of[branching[b].step] = (uint8_t)(b + 1);
    for (unsigned i = 0; i < ON_SLAB; i++) on_slab_of[on_slab[i]] = (uint8_t)(i + 1);
}

static void note_branch(unsigned step, EventKind kind, uint64_t value) {
    unsigned b = branching_of[step];
    if (b && fits(branching[b - 1].form, kind))
        covered[FIRST_BRANCH + (b - 1) * OUTCOMES_MOST + outcome_of(branching[b - 1].form, kind, value)] = true;
}

static void note_pair(unsigned step, const volatile void* address) {
    SlabNumber s = on_slab_of[step] ? slab_of(address) : SLABS_MOST;
    if (s == SLABS_MOST) return;
    LastStep* last = &last_step[s];
    if (last->run == current_run && last->thread != current_thread)
        covered[FIRST_PAIR + (on_slab_of[last->step] - 1u) * ON_SLAB + on_slab_of[step] - 1u] = true;
    *last = (LastStep){current_run, (uint8_t)current_thread, (uint8_t)step};
}

void coverage_operation(unsigned step, EventKind kind, const volatile void* address, uint64_t value) {
    if (on_slab_of[on_slab[0]] == 0) index_steps();
    note_branch(step, kind, value);
    note_pair(step, address);
}

// --- telling

unsigned coverage_count(void) {
    return ITEMS;
}

bool coverage_has(unsigned item) {
    return item < FIRST_BRANCH ? steps_reached[item] != 0 : covered[item];
}

// An item that cannot be, such as the fourth outcome of a form that has two, has an empty name.
void coverage_name(unsigned item, char* out, size_t size) {
    out[0] = '\0';
    if (item < FIRST_BRANCH) {
        snprintf(out, size, "step %s", step_name(item));
    } else if (item < FIRST_PAIR) {
        unsigned b = (item - FIRST_BRANCH) / OUTCOMES_MOST, outcome = (item - FIRST_BRANCH) % OUTCOMES_MOST;
        const char* name = outcome_names[branching[b].form][outcome];
        if (name) snprintf(out, size, "branch %s %s", step_name(branching[b].step), name);
    } else {
        unsigned pair = item - FIRST_PAIR;
        snprintf(out, size, "pair %s %s", step_name(on_slab[pair / ON_SLAB]), step_name(on_slab[pair % ON_SLAB]));
    }
}
