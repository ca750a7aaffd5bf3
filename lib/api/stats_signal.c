#include "api/stats_signal.h"

#include "api/stats_file.h"
#include "api/stats_turn.h"
#include "base/signal_action.h"
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

void stats_signals_begin(int dump_signal, bool ends) {
    signal_take_for("HAKMEM_DUMP_SIGNAL", dump_signal, dump);
    bool is_init = os_process_id() == 1;  // the system keeps SIGTERM from the first process, unless it has a handler
    // Otherwise the program, or whoever started it, may want something else.
    if (ends && !is_init) signal_take_default(SIGTERM, write_and_end, SA_NODEFER);
}
