// When statistics are written: at exit and on signals (HAKMEM_STATS, HAKMEM_DUMP_SIGNAL), and now and then
// (HAKMEM_STATS_INTERVAL).
#include "api/stats.h"
#include "api/stats_file.h"
#include "api/stats_signal.h"
#include "api/stats_turn.h"
#include "config/sources.h"
#include "front/wake.h"
#include "os/os.h"
#include "thread/operation.h"

static bool started;

static bool wanted_at_exit(void) {
    return hak_option(stats) != STATS_NONE || hak_option(stats_interval) != 0;
}

// --- now and then

static _Atomic uint64_t due_ms;  // 0: not known yet

void hak_stats_follow_options(void) {
    static _Atomic int64_t followed;
    int64_t interval = hak_option(stats_interval);
    if (load_relaxed(&followed) == interval) return;
    store_relaxed(&followed, interval);
    store_relaxed(&due_ms, 0u);
    if (interval != 0)
        atomic_fetch_or(&hak_wake, WAKE_TIMED);
    else
        atomic_fetch_and(&hak_wake, ~WAKE_TIMED);
}

bool hak_stats_are_due(void) {
    return hak_option(stats_interval) != 0 && os_clock_ms() >= load_relaxed(&due_ms);
}

void hak_stats_if_due(void) {
    uint64_t interval = (uint64_t)hak_option(stats_interval) * 1000, now = os_clock_ms(), due = load_relaxed(&due_ms);
    if (interval == 0 || now < due || !cas_relaxed(&due_ms, &due, now + interval) || due == 0) return;
    if (!stats_turn_take()) return;
    stats_file_write(true);
    stats_turn_give();
}

// --- at load and at exit

void hak_stats_at_exit(void) {
    int signal = (int)hak_option(dump_signal);
    started = true;
    if (wanted_at_exit() || signal != 0) stats_file_open();
    stats_signals_begin(signal, wanted_at_exit());
    hak_stats_follow_options();
}

static bool take_turn(void) {
    enum { TRIES = 2000 };
    bool taken = stats_turn_take();
    for (int i = 0; i < TRIES && !taken; i++) {
        os_wait(i);
        taken = stats_turn_take();
    }
    return taken;
}

// The end of the process closes the files: destructors of others may run after this one.
__attribute__((destructor)) static void write_stats(void) {
    if (!started || !wanted_at_exit() || operation_is_open() || !hak_stats_was_used() || !take_turn()) return;
    stats_file_write(true);
    stats_turn_give();
}
