#include "api/stats_signal.h"

#include "api/stats_file.h"
#include "api/stats_turn.h"
#include "base/syscall.h"
#include "base/text.h"
#include "os/os.h"
#include "sample/handler.h"

#include <signal.h>

// In the kernel's layout.
typedef struct {
    void (*handler)(int);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
} KernelAction;

static bool exchange(int signal, const KernelAction* wanted, KernelAction* found) {
    enum { SET_BYTES = 8 };
    return !sys_failed(sys_call4(SYS_rt_sigaction, signal, (long)wanted, (long)found, SET_BYTES));
}

static void dump(int signal) {
    (void)signal;
    if (!stats_turn_take()) return;
    stats_file_write(false);
    stats_turn_give();
}

// If another report is being written, the end of that one ends the process.
static void write_and_end(int signal) {
    stats_turn_ends_by(signal);
    if (!stats_turn_take()) return;
    if (hak_stats_was_used()) stats_file_write(false);
    stats_turn_give();
}

// False: the program, or whoever started it, wants something else.
static bool install(int signal, void (*handler)(int), uint64_t flags) {
    KernelAction action = {.handler = handler, .flags = SA_ONSTACK | flags}, found = {.flags = 0};
#if defined(__x86_64__)
    enum { HAS_RESTORER = 0x04000000 };
    action.flags |= HAS_RESTORER;
    action.restorer = sample_restorer;
#endif
    return exchange(signal, NULL, &found) && found.handler == SIG_DFL && exchange(signal, &action, NULL);
}

void stats_signals_begin(int dump_signal, bool ends) {
    if (dump_signal != 0 && !install(dump_signal, dump, SA_RESTART))
        text_warn("hakmem: HAKMEM_DUMP_SIGNAL: signal %d is taken, or cannot have a handler\n", dump_signal);
    bool is_init = os_process_id() == 1;  // the system keeps SIGTERM from the first process, unless it has a handler
    if (ends && !is_init) install(SIGTERM, write_and_end, SA_NODEFER);
}
