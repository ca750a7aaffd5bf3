#include "run/run.h"

#include "api/end.h"
#include "config/sources.h"
#include "front/life.h"
#include "front/process.h"
#include "oracle/blocks.h"
#include "oracle/open.h"
#include "oracle/rest.h"
#include "oracle/whole.h"
#include "record/event.h"
#include "run/ends.h"
#include "run/perform.h"
#include "runtime/limit.h"
#include "runtime/race.h"
#include "runtime/system.h"
#include "superslab/heap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const Scenario* scenario;
static bool follow;

// --- what the threads run

static void body_of_thread(void) {
    unsigned t = current_thread;
    for (uint32_t i = 0; i < scenario->op_count[t]; i++) perform(scenario, &scenario->op[t][i], i + 1);
    scheduler_end_thread();
}

// As the library does when it is loaded (lib/api/load.c), before the program runs.
static void body_of_setup(void) {
    process_read_options();
    heap_prepare();
    tcb_prepare();
    process_is_loaded(thread_end_round, true);
    for (uint32_t i = 0; i < scenario->setup_count; i++) {
        thread_become(scenario->setup[i].thread);
        perform(scenario, &scenario->setup[i], 0);
    }
    thread_leave(RUN_OK);
}

static void body_of_rest(void) {
    rest_check(scenario);
    thread_leave(RUN_OK);
}

static void (*const* functions)(void);

static void body_of_function(void) {
    functions[current_thread]();
    scheduler_end_thread();
}

static RunEnd run_alone(void (*body)(void)) {
    thread_prepare(SETUP, body);
    return (RunEnd)thread_enter(SETUP);
}

// --- crashes

static volatile sig_atomic_t alarms_in_run;

static void raise_at_once(int number) {
    signal(number, SIG_DFL);
    raise(number);
}

static void on_crash(int signal, siginfo_t* info, void* context) {
    (void)context;
    // The explorer's own memory is damaged: its end is told by the process that watches.
    if (!thread_is_inside()) raise_at_once(signal);
    run_fault("crash", "%s at address %p, in thread %c", strsignal(signal), info->si_addr, 'A' + (int)current_thread);
}

// A loop without atomic operations does not end by itself.
static void on_alarm(int signal) {
    (void)signal;
    if (alarms_in_run++ >= 2 && thread_is_inside())
        run_fault("endless", "thread %c is in a loop", 'A' + (int)current_thread);
}

static void handle_signals(void) {
    enum { STACK_BYTES = 65536 };
    static char stack[STACK_BYTES];
    const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct sigaction alarms = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART};
    struct itimerval each_second = {{1, 0}, {1, 0}};
    sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &crash, NULL);
    sigaction(SIGVTALRM, &alarms, NULL);
    setitimer(ITIMER_VIRTUAL, &each_second, NULL);
}

// --- runs

static void fault_of_size(const char* what) {
    run_fault("scenario", "%s", what);
}

void run_start(void) {
    run_is_too_large = fault_of_size;
    memory_start();
    locations_start();
    race_start();
    threads_start();
    system_whole_state = ends_state;
    whole_start();
    open_start();
    handle_signals();
}

static void set_environment(const char* changes) {
    char name[NAME_MOST + 8];
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) unsetenv(hak_option_info(i)->name);
    const bool all = changes[0] == '\0' || strcmp(changes, "all") == 0;
    setenv("HAKMEM_CHANGES", all ? "all" : changes, 1);
    // Whoever uses what is not its own is found there, and not where that does harm.
    if (all && !follow) setenv("HAKMEM_DEBUG_OWNERSHIP", "1", 1);
    // An encoded link is tested before it is followed, and the allocator ends at that test.
    if (follow) setenv("HAKMEM_LINKS", "plain", 1);
    for (unsigned i = 0; i < scenario->setting_count; i++) {
        snprintf(name, sizeof name, "HAKMEM_%s", scenario->setting[i][0]);
        setenv(name, scenario->setting[i][1], 1);
    }
}

static void forget_all(unsigned count) {
    memory_forget_all();
    threads_tls_forget_all();
    system_forget_all();
    blocks_forget_all();
    locations_forget();
    ends_forget();
    memset(&run, 0, sizeof run);
    run.limits.follow = follow;
    thread_count = count;
}

bool run_prepare(const Scenario* wanted, const char* changes, char* message, size_t size) {
    scenario = wanted;
    functions = NULL;
    set_environment(changes);
    forget_all(scenario->thread_count);
    block_count = scenario->block_count;
    hak_options_silent = true;
    if (run_alone(body_of_setup) != RUN_OK) {
        snprintf(message, size, "%s: the setup fails: check=%s %s", scenario->name, run.check, run.text);
        return false;
    }
    memory_snapshot();
    threads_tls_snapshot();
    system_snapshot();
    blocks_snapshot();
    return true;
}

void run_prepare_functions(void (*const* wanted)(void), unsigned count) {
    functions = wanted;
    forget_all(count);
    memory_snapshot();
    threads_tls_snapshot();
    system_snapshot();
    blocks_snapshot();
}

static void begin_thread(unsigned t) {
    Thread* thread = &threads[t];
    thread->state = functions || scenario->begins[t] ? READY : UNBORN;
    thread->hurries = thread->was_woken = false;
    thread->one_point = 0;
    thread->looks_in_vain = 0;
    thread->step = UINT16_MAX;
    thread->moment = thread->began = thread->op = thread->looks_alone = thread->seen_since = 0;
    memset(thread->seen, 0, sizeof thread->seen);
    thread->clock = thread->released_by_fence = thread->acquired_by_fence = (Clock){0};
    thread->clock[t] = 1;
    thread->history = (Hash){t + 1, t + 101};
    thread_prepare(t, functions ? body_of_function : body_of_thread);
}

static void begin_run(const RunLimits* limits) {
    memory_reset();
    threads_tls_reset();
    system_begin_run();
    blocks_reset();
    race_begin_run();
    if (++current_run == 0) current_run = 1;
    locations_begin_age();
    run.limits = *limits;
    run.limits.follow = follow;
    run.limits.races &= !follow;
    run.stale_used = run.failures_used = 0;
    run.preemptions = run.cut_off = run.calls = run_schedule->count = 0;
    memset(run.steps, 0, sizeof run.steps);
    run.learned = run.forked = run.copied = false;
    run.check[0] = run.text[0] = '\0';
    run.fault_address = NULL;
    run.fault_bytes = 0;
    run.fault_other = NOBODY;
    run.may_fail = !functions && scenario_fails(scenario);
    run.is_judged = !functions && scenario_expects(scenario);
    run.writes_are_points = !functions && scenario_copies(scenario);
    recording.count = 0;
    explored_single_threaded = thread_count == 1;
    for (unsigned t = 0; t < thread_count; t++) begin_thread(t);
    threads[SETUP].clock = (Clock){0};
    alarms_in_run = 0;
}

void run_will_follow(bool wanted) {
    follow = wanted;
}

RunEnd run_once(const RunLimits* limits) {
    begin_run(limits);
    run.limits.strategy->begin_run();
    RunEnd end = scheduler_run();
    if (functions || end != RUN_OK || !ends_is_new()) return end;
    end = run_alone(body_of_rest);
    if (end == RUN_FAULT) ends_forget();  // a repetition is to find it, too
    return end;
}
