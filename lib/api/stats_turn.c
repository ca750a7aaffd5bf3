#include "api/stats_turn.h"

#include "base/atomic.h"
#include "base/syscall.h"
#include "os/os.h"

#include <signal.h>

// With process ids: the child of a fork does not have its parent's thread, and that of a vfork writes here.
static _Atomic uint32_t holder;
static _Atomic uint64_t ending;  // process id << 32 | signal; 0: none

// An action in the kernel's layout, all zero, is the default one.
static HAK_NORETURN void end_by(uint32_t signal) {
    enum { SET_BYTES = 8 };
    const struct { uint64_t handler, flags, restorer, mask; } by_default = {0};
    const uint64_t set = UINT64_C(1) << (signal - 1);
    sys_call4(SYS_rt_sigaction, signal, (long)&by_default, 0, SET_BYTES);
    sys_call3(SYS_tgkill, os_process_id(), os_thread_id(), signal);
    sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, SET_BYTES);
    for (;;) sys_call3(SYS_exit_group, 128 + signal, 0, 0);
}

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
    if (asked >> 32 == os_process_id()) end_by((uint32_t)asked);
}

void stats_turn_ends_by(int signal) {
    uint64_t asked = (uint64_t)os_process_id() << 32 | (uint32_t)signal;
    if (atomic_exchange(&ending, asked) >> 32 == asked >> 32) end_by((uint32_t)asked);
}
