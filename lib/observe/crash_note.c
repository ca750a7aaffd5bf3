#include "observe/crash_note.h"

#include "base/signal_action.h"
#include "base/syscall.h"
#include "config/options.h"
#include "observe/ring.h"
#include "os/os.h"
#include "os/shared_file.h"

#include <signal.h>

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
enum { FAULT_SIGNALS = sizeof fault_signals / sizeof fault_signals[0] };

// --- the crash

// While the word has the value, but not for ever: nobody may be there to change it.
static void wait_while_it_is(const _Atomic uint32_t* word, uint32_t value, uint64_t most_ms) {
    for (uint64_t end = os_clock_ms() + most_ms; load_acquire(word) == value && os_clock_ms() < end;)
        os_sleep_briefly();
}

enum { SEEN_WITHIN_MS = 1000, DONE_WITHIN_MS = 20000 };

static void note(HakRingFile* file, int signal, const siginfo_t* info, const void* context) {
    CrashRecord* record = hak_ring_crash(file);
    uint32_t nobody = 0;
    if (!cas_acq_rel(&record->claimed, &nobody, os_thread_id())) {
        wait_while_it_is(&record->ready, 0, DONE_WITHIN_MS);  // the end of this thread would end the one that writes
        return;
    }
    record->tick = hak_ring_clock();
    crash_record_fill(record, signal, info, context);
    store_release(&record->ready, 1u);  // pairs with the acquire in the report
    wait_while_it_is(&record->answer, CRASH_UNSEEN, SEEN_WITHIN_MS);
    wait_while_it_is(&record->answer, CRASH_SEEN, DONE_WITHIN_MS);
}

// What the instruction did is done again when the handler returns, and then kills: so a core dump shows the fault.
static bool comes_again(int signal, const siginfo_t* info) {
    bool by_instruction = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
    return by_instruction && info->si_code > 0;
}

static void on_fault(int signal, siginfo_t* info, void* context) {
    const SignalAction by_default = {.flags = 0};
    HakRingFile* file = hak_ring_of_the_dying();
    // A process that the C library did not fork still has its parent's ring.
    if (file != NULL && file->pid == os_process_id() && shared_file_reserve(hak_ring_crash(file), sizeof(CrashRecord)))
        note(file, signal, info, context);
    if (!comes_again(signal, info)) signal_die(signal);
    signal_exchange(signal, &by_default, NULL);  // cannot fail: the signal and the address are valid
}

static void install(int signal) {
    SignalAction action = signal_action(SA_SIGINFO | SA_ONSTACK, UINT64_MAX), found = {.flags = 0};
    action.handler.with_info = on_fault;
    if (signal_exchange(signal, NULL, &found) && found.handler.plain == SIG_DFL) signal_exchange(signal, &action, NULL);
}

// --- the handler's stack

enum { STACK_BYTES = 64 << 10 };
static bool begun;
static HAK_TLS void* own_stack;

static bool stack_exchange(const stack_t* wanted, stack_t* found) {
    return !sys_failed(sys_call3(SYS_sigaltstack, (long)wanted, (long)found, 0));
}

void crash_note_thread_start(void) {
    stack_t found = {.ss_flags = 0};
    if (!begun || own_stack != NULL || !stack_exchange(NULL, &found) || !(found.ss_flags & SS_DISABLE)) return;
    own_stack = os_map_sparse(STACK_BYTES);
    if (own_stack != NULL) stack_exchange(&(stack_t){.ss_sp = own_stack, .ss_size = STACK_BYTES}, NULL);
}

void crash_note_thread_end(void) {
    stack_t found = {.ss_flags = 0};
    if (own_stack == NULL) return;
    if (stack_exchange(NULL, &found) && found.ss_sp == own_stack)
        stack_exchange(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    os_unmap(own_stack, STACK_BYTES);  // counted if it fails
    own_stack = NULL;
}

void crash_note_begin(void) {
    if (begun || hak_option(crash_record) == 0 || hak_options.ring_file[0] == '\0') return;
    begun = true;
    for (size_t i = 0; i < FAULT_SIGNALS; i++) install(fault_signals[i]);
    crash_note_thread_start();
}
