#include "minimise/minimise.h"

#include "minimise/operations.h"

#include <string.h>

enum { SEARCH_RUNS = 3000, CHANCE_RUNS = 10000, PAIRS_MOST = 24, CHANGES_MOST = 3 };

static uint32_t operations_left(const Replay* replay, const Scenario* whole) {
    uint32_t count = 0;
    for (unsigned t = 0; t < whole->thread_count; t++) count += whole->op_count[t];
    return count - replay->dropped_count;
}

// Switches count most, then other deviations.
static bool is_shorter(const Replay* a, const Replay* b) {
    uint32_t x = schedule_switches(&a->schedule), y = schedule_switches(&b->schedule);
    return x != y ? x < y : a->schedule.count < b->schedule.count;
}

// --- deviations

static void remove_range(Schedule* schedule, uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) schedule_remove(schedule, first);
}

static bool try_without(Replay* best, uint32_t first, uint32_t count, Replay* candidate) {
    *candidate = *best;
    remove_range(&candidate->schedule, first, count);
    if (!goal_holds(candidate) || !is_shorter(candidate, best)) return false;
    *best = *candidate;
    return true;
}

// Halves, quarters, ... single ones, as in delta debugging (A. Zeller, R. Hildebrandt, TSE 2002).
static bool leave_out_ranges(Replay* best, Replay* candidate) {
    bool any = false;
    for (uint32_t length = best->schedule.count; length > 0 && !goal_is_spent();) {
        bool found = false;
        for (uint32_t first = 0; first + length <= best->schedule.count && !goal_is_spent();)
            if (try_without(best, first, length, candidate))
                found = true;
            else
                first += length;
        any |= found;
        length = found && length == 1 ? 1 : length / 2;
        if (length > best->schedule.count) length = best->schedule.count;
    }
    return any;
}

// A switch away and the one back often go only together.
static bool leave_out_pairs(Replay* best, Replay* candidate) {
    if (best->schedule.count > PAIRS_MOST) return false;
    for (uint32_t i = 0; i < best->schedule.count; i++)
        for (uint32_t j = i + 1; j < best->schedule.count && !goal_is_spent(); j++) {
            *candidate = *best;
            schedule_remove(&candidate->schedule, j);
            schedule_remove(&candidate->schedule, i);
            if (!goal_holds(candidate) || !is_shorter(candidate, best)) continue;
            *best = *candidate;
            return true;
        }
    return false;
}

// If another thread begins, a switch to it may be needless.
static bool begin_with_another(Replay* best, const Scenario* whole, Replay* candidate) {
    for (uint8_t t = 0; t < whole->thread_count && !goal_is_spent(); t++) {
        if (t == best->schedule.first) continue;
        for (uint32_t i = 0; i <= best->schedule.count; i++) {
            *candidate = *best;
            candidate->schedule.first = t;
            if (i < best->schedule.count) schedule_remove(&candidate->schedule, i);
            if (!goal_holds(candidate) || !is_shorter(candidate, best)) continue;
            *best = *candidate;
            return true;
        }
    }
    return false;
}

static void fewer_deviations(Replay* best, const Scenario* whole, Replay* candidate) {
    bool shorter = true;
    while (shorter && !goal_is_spent())
        shorter = leave_out_ranges(best, candidate) || leave_out_pairs(best, candidate) ||
                  begin_with_another(best, whole, candidate);
}

// --- operations

static bool uses_block(const Op* op, uint8_t block) {
    bool takes = op->kind == OP_FREE || op->kind == OP_TOUCH || op->kind == OP_REALLOC;
    return takes && (op->kind == OP_REALLOC ? op->old : op->block) == block;
}

static bool makes_named_block(const Scenario* whole, const Op* op) {
    return (op->kind == OP_MALLOC || op->kind == OP_CALLOC || op->kind == OP_REALLOC) && op->block < whole->block_count;
}

// Whoever waits for a block that nobody makes would wait for ever.
static bool leave_out_users(Replay* candidate, const Replay* best, const Scenario* whole, uint8_t block) {
    for (unsigned t = 0; t < whole->thread_count; t++)
        for (uint32_t number = whole->op_count[t]; number > 0; number--)
            if (uses_block(&whole->op[t][number - 1], block) && !operation_leave_out(candidate, best, whole, t, number))
                return false;
    return true;
}

static bool accept_shorter_program(Replay* best, Replay* candidate) {
    uint32_t switches = schedule_switches(&best->schedule);
    bool holds = goal_holds(candidate);
    if (!holds) holds = goal_search(candidate, switches, SEARCH_RUNS);
    if (!holds || schedule_switches(&candidate->schedule) > switches) return false;
    *best = *candidate;
    return true;
}

static bool try_without_operation(Replay* best, const Scenario* whole, unsigned thread, uint32_t number,
                                  Replay* candidate) {
    const Op* op = &whole->op[thread][number - 1];
    *candidate = *best;
    goal_holds(best);  // so that its moments are those recorded
    bool possible = operation_leave_out(candidate, best, whole, thread, number);
    if (makes_named_block(whole, op)) possible = possible && leave_out_users(candidate, best, whole, op->block);
    return possible && accept_shorter_program(best, candidate);
}

static bool try_without_thread(Replay* best, const Scenario* whole, unsigned thread, Replay* candidate) {
    *candidate = *best;
    goal_holds(best);
    for (uint32_t number = whole->op_count[thread]; number > 0; number--) {
        const Op* op = &whole->op[thread][number - 1];
        if (!operation_leave_out(candidate, best, whole, thread, number)) return false;
        if (makes_named_block(whole, op) && !leave_out_users(candidate, best, whole, op->block)) return false;
    }
    return candidate->dropped_count > best->dropped_count && accept_shorter_program(best, candidate);
}

static bool fewer_operations(Replay* best, const Scenario* whole, Replay* candidate) {
    uint32_t before = operations_left(best, whole);
    if (scenario_expects(whole)) return false;
    for (unsigned t = 0; t < whole->thread_count && !goal_is_spent(); t++)
        try_without_thread(best, whole, t, candidate);
    for (unsigned t = 0; t < whole->thread_count; t++)
        for (uint32_t number = whole->op_count[t]; number > 0 && !goal_is_spent(); number--)
            if (!operation_is_left_out(best, t, number)) try_without_operation(best, whole, t, number, candidate);
    return operations_left(best, whole) < before;
}

// --- switches

// The exhaustive search begins with none, so what it finds has as few preemptions as possible. Where there are too many
// points for it, chance finds a schedule with few.
static bool fewer_switches(Replay* best, const Scenario* whole, Replay* candidate) {
    static Replay found;
    uint32_t switches = schedule_switches(&best->schedule);
    if (switches == 0) return false;
    found = *best;
    bool any = goal_search(&found, switches - 1, SEARCH_RUNS);
    for (uint32_t changes = 1; changes < switches && changes <= CHANGES_MOST && !any; changes++)
        any = goal_search_by_chance(&found, changes, CHANCE_RUNS);
    if (!any) return false;
    fewer_deviations(&found, whole, candidate);
    if (!is_shorter(&found, best)) return false;
    *best = found;
    return true;
}

bool minimise(Replay* replay, const Scenario* whole, const MinimiseLimits* limits) {
    static Replay candidate;
    char message[FAULT_TEXT];
    if (!again_prepare(replay, whole, message, sizeof message) || again_run(&replay->schedule) != RUN_FAULT)
        return false;
    goal_set(whole, limits);
    if (!goal_holds(replay)) return false;
    fewer_deviations(replay, whole, &candidate);
    while (!goal_is_spent() && fewer_operations(replay, whole, &candidate)) fewer_deviations(replay, whole, &candidate);
    while (!goal_is_spent() && fewer_switches(replay, whole, &candidate)) continue;
    return goal_holds(replay);
}
