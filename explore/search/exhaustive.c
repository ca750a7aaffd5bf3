#include "search/exhaustive.h"

#include "runtime/limit.h"
#include "runtime/scheduler.h"
#include "search/states.h"

#include <string.h>

// The choices of the run under way, in their order. The first `given` are those of the run before, but the last of them
// has the next alternative.
typedef struct {
    uint8_t picked, count;
    uint8_t costs;   // each alternative but the first costs a preemption
    uint32_t spent;  // before this choice
    uint64_t path;   // a hash of what was picked before
} Branch;

enum { BRANCHES_MOST = MOMENTS_MOST * THREADS_MOST };

static Branch branches[BRANCHES_MOST];
static uint32_t branch_count, given, spent, bound;
static ExhaustiveLimits limits;
static bool complete, misfits;

static void begin_run(void) {
    branch_count = spent = 0;
}

static uint8_t least(uint32_t a, uint32_t b) {
    return (uint8_t)(a < b ? a : b);
}

// The preemption by which the shards divide the tree: there are enough of it, and little comes before it.
static uint32_t dividing(void) {
    if (limits.shards == 1) return 0;
    return limits.bound_most > 2 ? 2 : 1;
}

// Without a bound, too, more is left before the dividing preemption than after it.
static uint8_t left_to_spend(void) {
    return least(bound - spent, spent < dividing() ? UNBOUNDED - 1 : UNBOUNDED - 2);
}

static bool is_explored(ChoiceKind kind, bool preempts, unsigned thread) {
    if (branch_count < given || limits.every_prefix) return false;
    Hash state = scheduler_state();
    state = hash_add(state, (uint64_t)kind << 24 | (uint64_t)preempts << 16 | thread << 8 | run.failures_used);
    return states_visit(state, left_to_spend(), (uint8_t)(run.limits.stale_most - run.stale_used));
}

// The first alternative is taken. For the other ones nothing is left to spend.
static bool goes_on_known(unsigned thread) {
    return is_explored(CHOOSE_THREAD, true, thread);
}

// --- shards
//
//   before the dividing preemption: every shard explores all of this
//   ─────────┬──────┬─────┬──────┬─────────
//   shard    0      2     0      1           whose a dividing preemption is follows from what was picked up to there
//
// A state above the line has more left to spend than any below it. So what a shard has seen below prunes nothing above,
// and all shards see the same there. What is pruned below, because it was seen above, all shards explore together.

static bool is_of_another_shard(const Branch* branch, unsigned alternative) {
    if (!branch->costs || branch->spent + 1 != dividing()) return false;
    return hash_mix(branch->path, alternative) % limits.shards != limits.shard;
}

static uint64_t path_so_far(void) {
    if (branch_count == 0) return 0;
    const Branch* last = &branches[branch_count - 1];
    return hash_mix(last->path, last->picked + 1u);
}

// --- choices

static unsigned choose(const Choice* choice) {
    bool costs = choice->preempts || choice->kind == CHOOSE_TIME;
    if (costs && spent >= bound && bound != PREEMPTIONS_WITHOUT_BOUND)
        return choice->resumes && goes_on_known(choice->thread) ? PRUNE : 0;
    if (branch_count == BRANCHES_MOST) {
        run_meets_limit("a run with more choices than are kept");
        return 0;
    }
    if (branch_count >= given) {
        if (is_explored(choice->kind, choice->preempts, choice->thread)) return PRUNE;
        branches[branch_count].picked = 0;
    }
    if (branches[branch_count].picked >= choice->count) {
        misfits = true;
        return PRUNE;
    }
    const uint64_t path = path_so_far();
    Branch* branch = &branches[branch_count++];
    *branch = (Branch){branch->picked, choice->count, costs, spent, path};
    if (branch->picked && branch->costs) spent++;
    return branch->picked;
}

static bool repeats(void) {
    return branch_count < given;
}

static bool next_alternative(Branch* branch) {
    if (branch->spent + branch->costs > bound && bound != PREEMPTIONS_WITHOUT_BOUND) return false;
    do branch->picked++;
    while (branch->picked < branch->count && is_of_another_shard(branch, branch->picked));
    return branch->picked < branch->count;
}

static bool next_in_bound(void) {
    while (branch_count > 0 && !next_alternative(&branches[branch_count - 1])) branch_count--;
    given = branch_count;
    return branch_count > 0;
}

static bool next_run(void) {
    if (next_in_bound()) return true;
    if (bound < limits.bound_most) {
        bound++;
        return true;
    }
    complete = true;
    return false;
}

static const Strategy exhaustive = {"exhaustive", begin_run, choose, goes_on_known, repeats, next_run};

void exhaustive_begin_again(void) {
    states_forget();
    branch_count = given = spent = 0;
    bound = limits.bound_most == PREEMPTIONS_WITHOUT_BOUND ? limits.bound_most : limits.bound_least;
    complete = misfits = false;
}

const Strategy* search_exhaustive(const ExhaustiveLimits* wanted) {
    limits = *wanted;
    exhaustive_begin_again();
    return &exhaustive;
}

uint32_t exhaustive_bound(void) {
    return bound;
}

bool exhaustive_is_complete(void) {
    return complete;
}

// --- where it stands

ExhaustivePosition exhaustive_position(void) {
    return (ExhaustivePosition){bound, given};
}

unsigned exhaustive_picked(uint32_t choice) {
    return branches[choice].picked;
}

bool exhaustive_go_on(uint32_t at_bound) {
    bound = at_bound;
    branch_count = given = 0;
    return bound <= limits.bound_most;
}

bool exhaustive_misfits(void) {
    return misfits;
}

bool exhaustive_pick(uint8_t alternative) {
    if (given == BRANCHES_MOST) return false;
    branches[given++].picked = alternative;
    return true;
}
