#include "api/stats_signal.h"

#include "api/stats_file.h"
#include "api/stats_turn.h"
#include "base/signal_action.h"
#include "base/text.h"
#include "os/os.h"

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
    SignalAction action = signal_action(SA_ONSTACK | flags, 0), found = {.flags = 0};
    action.handler.plain = handler;
    return signal_exchange(signal, NULL, &found) && found.handler.plain == SIG_DFL &&
           signal_exchange(signal, &action, NULL);
}

void stats_signals_begin(int dump_signal, bool ends) {
    if (dump_signal != 0 && !install(dump_signal, dump, SA_RESTART))
        text_warn("hakmem: HAKMEM_DUMP_SIGNAL: signal %d is taken, or cannot have a handler\n", dump_signal);
    bool is_init = os_process_id() == 1;  // the system keeps SIGTERM from the first process, unless it has a handler
    if (ends && !is_init) install(SIGTERM, write_and_end, SA_NODEFER);
}
