#include "api/stats_turn.h"

#include "base/atomic.h"
#include "base/signal_action.h"
#include "os/os.h"

// With process ids: the child of a fork does not have its parent's thread, and that of a vfork writes here.
static _Atomic uint32_t holder;
static _Atomic uint64_t ending;  // process id << 32 | signal; 0: none

bool stats_turn_take(void) {
    if (os_calls_are_forbidden()) return false;
    uint32_t me = os_process_id(), seen = load_relaxed(&holder);
    return seen != me && atomic_compare_exchange_strong(&holder, &seen, me);
}

// The order of the two words is the reverse of that in the handler: take, or see that somebody has it, after `ending`
// is set.
void stats_turn_give(void) {
    store_seq_cst(&holder, 0u);
    uint64_t asked = load_seq_cst(&ending);
    if (asked >> 32 == os_process_id()) signal_die((int)(uint32_t)asked);
}

void stats_turn_ends_by(int signal) {
    uint64_t asked = (uint64_t)os_process_id() << 32 | (uint32_t)signal;
    if (atomic_exchange(&ending, asked) >> 32 == asked >> 32) signal_die((int)(uint32_t)asked);
}
