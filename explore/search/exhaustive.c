#include "search/exhaustive.h"

#include "runtime/scheduler.h"
#include "search/states.h"

#include <string.h>

// The choices of the run under way, in their order. The first `given` are those of the run before, but the last of them
// has the next alternative.
typedef struct {
    uint8_t picked, count;
    uint8_t costs;   // each alternative but the first costs a preemption
    uint32_t spent;  // before this choice
} Branch;

enum { BRANCHES_MOST = MOMENTS_MOST * THREADS_MOST, SHARD_DEPTH = 6 };

static Branch branches[BRANCHES_MOST];
static uint32_t branch_count, given, spent, bound;
static ExhaustiveLimits limits;
static bool complete, misfits;
static uint64_t leaf;  // of the upper part of the tree, for shards

static void begin_run(void) {
    branch_count = spent = 0;
}

static uint8_t least(uint32_t a, uint32_t b) {
    return (uint8_t)(a < b ? a : b);
}

static bool is_explored(ChoiceKind kind, bool preempts, unsigned thread) {
    Hash state = scheduler_state();
    state = hash_add(state, (uint64_t)kind << 24 | (uint64_t)preempts << 16 | thread << 8 | run.failures_used);
    uint8_t stale = (uint8_t)(run.limits.stale_most - run.stale_used);
    return states_visit(state, least(bound - spent, UNBOUNDED - 1), stale);
}

// Each way through the upper SHARD_DEPTH choices leads to a part of the tree. The parts are dealt out in turn. All
// shards must count the same parts, so none prunes above them.
static bool may_prune(uint32_t depth) {
    return branch_count >= given && !limits.every_prefix && (limits.shards == 1 || branch_count >= depth);
}

// The first alternative is taken. For the other ones nothing is left to spend.
static bool goes_on_known(unsigned thread) {
    return may_prune(SHARD_DEPTH + 1) && is_explored(CHOOSE_THREAD, true, thread);
}

static bool is_of_another_shard(void) {
    bool begins = limits.shards > 1 && branch_count == SHARD_DEPTH && given <= SHARD_DEPTH;
    return begins && leaf++ % limits.shards != limits.shard;
}

static unsigned choose(const Choice* choice) {
    bool costs = choice->preempts || choice->kind == CHOOSE_TIME;
    if (costs && spent >= bound) return choice->resumes && goes_on_known(choice->thread) ? PRUNE : 0;
    if (branch_count == BRANCHES_MOST) return 0;
    if (branch_count >= given) {
        if (is_of_another_shard()) return PRUNE;
        if (may_prune(SHARD_DEPTH) && is_explored(choice->kind, choice->preempts, choice->thread)) return PRUNE;
        branches[branch_count].picked = 0;
    }
    if (branches[branch_count].picked >= choice->count) {
        misfits = true;
        return PRUNE;
    }
    Branch* branch = &branches[branch_count++];
    *branch = (Branch){branch->picked, choice->count, costs, spent};
    if (branch->picked && branch->costs) spent++;
    return branch->picked;
}

static bool repeats(void) {
    return branch_count < given;
}

static bool next_in_bound(void) {
    while (branch_count > 0) {
        Branch* last = &branches[branch_count - 1];
        if (last->picked + 1 < last->count && last->spent + last->costs <= bound) {
            last->picked++;
            given = branch_count;
            return true;
        }
        branch_count--;
    }
    given = 0;
    return false;
}

static bool next_run(void) {
    if (next_in_bound()) return true;
    leaf = 0;
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
    leaf = 0;
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
    return (ExhaustivePosition){bound, given, leaf};
}

unsigned exhaustive_picked(uint32_t choice) {
    return branches[choice].picked;
}

bool exhaustive_go_on(uint32_t at_bound, uint64_t at_leaf) {
    bound = at_bound;
    leaf = at_leaf;
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
