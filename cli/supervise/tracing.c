#include "supervise/tracing.h"

#include "process/proc_status.h"
#include "workload/workload.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUCKETS = 1024 };

// A thread. The first thread of a process has the number of the process, and also stands for the process.
struct traced {
    pid_t thread, process;
    struct traced* next;
    struct tracing_signal last;   // of those that are faults
    struct tracing_signal fault;  // the last that the processor raised, not a process
    bool exiting;                 // it was stopped at its end
    size_t threads;               // threads of the process that have not been stopped at their end yet
    bool reported;                // the process was reported
    struct tracing_end* ends;     // of threads of the process
    size_t end_count, end_room;
};

static struct traced* table[BUCKETS];
static size_t watched;       // threads in the table
static pid_t command_alive;  // its number; 0: it has ended
static bool stop_asked;

bool is_fault_signal(int number) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i] == number) return true;
    return false;
}

// The table

static struct traced** place_of(pid_t thread) {
    struct traced** place = &table[(unsigned)thread % BUCKETS];
    while (*place != NULL && (*place)->thread != thread) place = &(*place)->next;
    return place;
}

static struct traced* find(pid_t thread) {
    return *place_of(thread);
}

static pid_t process_of(pid_t thread) {
    long long process = proc_status(thread, "Tgid");
    return process > 0 ? (pid_t)process : thread;
}

// A thread becomes known when its creator reports it or when it first stops, whichever comes first.
static struct traced* know(struct tracing* tracing, pid_t thread) {
    struct traced** place = place_of(thread);
    if (*place != NULL) return *place;
    struct traced* traced = calloc(1, sizeof *traced);
    if (traced == NULL) abort();  // a thread that cannot be watched would never continue, so the run ends
    traced->thread = thread;
    traced->process = process_of(thread);
    *place = traced;
    watched++;
    struct traced* process = find(traced->process);
    if (process != NULL) process->threads++;
    if (traced == process) tracing->processes++;
    return traced;
}

// True if it was the last thread of its process that had not come to its end.
static bool comes_to_end(struct traced* traced) {
    struct traced* process = find(traced->process);
    if (traced->exiting || process == NULL) return false;
    traced->exiting = true;
    return --process->threads == 0;
}

static void remove_at(struct traced** place) {
    struct traced* traced = *place;
    *place = traced->next;
    watched--;
    free(traced->ends);
    free(traced);
}

static void forget(pid_t thread) {
    struct traced** place = place_of(thread);
    if (*place == NULL) return;
    comes_to_end(*place);
    remove_at(place);
}

const struct tracing_signal* tracing_fault_at(pid_t process, uintptr_t address, pid_t* thread) {
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct traced* traced = table[i]; traced != NULL; traced = traced->next) {
            bool is_fault = traced->process == process && traced->fault.number != 0;
            if (!is_fault || (uintptr_t)traced->fault.info.si_addr != address) continue;
            *thread = traced->thread;
            return &traced->fault;
        }
    return NULL;
}

// Stops. A thread that was killed in the meantime gives ESRCH; its end is reported next.

static void resume(pid_t thread, int signal) {
    ptrace(PTRACE_CONT, thread, NULL, (void*)(uintptr_t)signal);
}

static bool read_registers(pid_t thread, struct user_regs_struct* registers) {
    struct iovec all = {registers, sizeof *registers};
    return ptrace(PTRACE_GETREGSET, thread, (void*)(uintptr_t)NT_PRSTATUS, &all) == 0;
}

#if defined(__x86_64__)
static const int vector_registers = NT_X86_XSTATE;

static uint64_t system_call_of(const struct user_regs_struct* registers) {
    return registers->orig_rax;
}
#else
static const int vector_registers = NT_PRFPREG;

static uint64_t system_call_of(const struct user_regs_struct* registers) {
    return registers->regs[8];
}
#endif

static void note_signal(struct tracing* tracing, struct traced* traced, int number) {
    struct tracing_signal* last = &traced->last;
    *last = (struct tracing_signal){.number = number, .time = workload_clock()};
    if (ptrace(PTRACE_GETSIGINFO, traced->thread, NULL, &last->info) != 0 ||
        !read_registers(traced->thread, &last->registers))
        last->number = 0;
    else if (last->info.si_code > 0)
        traced->fault = *last;
    if (last->number == SIGSEGV && last->info.si_code > 0 && tracing->refused != NULL)
        tracing->refused(tracing->context, traced->process, traced->thread, last);
}

// Is the thread ending at the instruction where it got the signal? One that survived the signal has moved since.
static bool died_of_last(const struct traced* traced, int number) {
    struct user_regs_struct now;
    return traced->last.number == number && read_registers(traced->thread, &now) &&
           memcmp(&now, &traced->last.registers, sizeof now) == 0;
}

// A handler may raise the signal again to die of it. Then the original fault counts.
static const struct tracing_signal* cause_of(const struct traced* traced) {
    const struct tracing_signal* last = &traced->last;
    bool raised = last->info.si_code <= 0 && last->info.si_pid == traced->process;
    return raised && traced->fault.number == last->number ? &traced->fault : last;
}

// A thread that ended by itself, and not with its process.
static bool has_left(const struct traced* traced, const struct traced* process, const struct tracing_end* end) {
    return process->threads > 1 && !traced->exiting && system_call_of(&end->registers) == SYS_exit;
}

static void keep_end(const struct traced* traced, struct traced* process) {
    if (process->end_count == process->end_room) {
        size_t room = process->end_room * 2 + 4;
        struct tracing_end* more = realloc(process->ends, room * sizeof *more);
        if (more == NULL) return;
        process->ends = more;
        process->end_room = room;
    }
    struct tracing_end* end = &process->ends[process->end_count];
    struct iovec vectors = {end->vectors, sizeof end->vectors};
    *end = (struct tracing_end){.thread = traced->thread};
    if (!read_registers(traced->thread, &end->registers) || has_left(traced, process, end)) return;
    ptrace(PTRACE_GETREGSET, traced->thread, (void*)(uintptr_t)vector_registers, &vectors);
    process->end_count++;
}

const struct tracing_end* tracing_ends(pid_t process, size_t* count) {
    const struct traced* traced = find(process);
    *count = traced != NULL ? traced->end_count : 0;
    return traced != NULL ? traced->ends : NULL;
}

static void at_exit(struct tracing* tracing, struct traced* traced) {
    unsigned long status = 0;
    bool known = ptrace(PTRACE_GETEVENTMSG, traced->thread, NULL, &status) == 0;
    int number = WIFSIGNALED((int)status) ? WTERMSIG((int)status) : 0;
    struct traced* process = find(traced->process);
    if (known && process != NULL && !process->reported && is_fault_signal(number) && died_of_last(traced, number)) {
        process->reported = true;
        tracing->died(tracing->context,
                      &(struct tracing_death){traced->process, traced->thread, number, cause_of(traced)});
    }
    if (tracing->keeps_ends && process != NULL) keep_end(traced, process);
    if (comes_to_end(traced)) tracing->exiting(tracing->context, traced->process, traced->thread, known && number == 0);
    resume(traced->thread, 0);
}

static void forget_other_threads(const struct traced* process) {
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct traced** place = &table[i]; *place != NULL;) {
            if ((*place)->process == process->process && *place != process)
                remove_at(place);
            else
                place = &(*place)->next;
        }
    }
}

// The thread that called exec goes on alone, with the number of the process.
static void at_exec(struct tracing* tracing, struct traced* process) {
    forget_other_threads(process);
    process->last.number = process->fault.number = 0;
    process->exiting = false;
    process->threads = 1;
    process->end_count = 0;
    tracing->over(tracing->context, process->process, true);
    resume(process->thread, 0);
}

// The command's shell waits for this process, so this process stops and continues with the command.
static void at_stop(struct traced* traced, int number) {
    if (ptrace(PTRACE_LISTEN, traced->thread, NULL, NULL) != 0) return;
    bool by_terminal = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
    if (by_terminal && traced->thread == command_alive) raise(SIGSTOP);
}

static bool is_stop_signal(int number) {
    return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void stopped(struct tracing* tracing, struct traced* traced, int status) {
    unsigned long made = 0;
    int number = WSTOPSIG(status);
    switch (status >> 16) {
    case 0:
        if (is_fault_signal(number)) note_signal(tracing, traced, number);
        resume(traced->thread, number);
        return;
    case PTRACE_EVENT_EXIT: at_exit(tracing, traced); return;
    case PTRACE_EVENT_EXEC: at_exec(tracing, traced); return;
    case PTRACE_EVENT_STOP:
        if (is_stop_signal(number))
            at_stop(traced, number);
        else
            resume(traced->thread, 0);  // a new thread, or the end of a stop
        return;
    default:  // it made a thread or process, which may have stopped, started or ended already
        if (ptrace(PTRACE_GETEVENTMSG, traced->thread, NULL, &made) == 0 &&
            proc_status((pid_t)made, "TracerPid") == getpid())
            know(tracing, (pid_t)made);
        resume(traced->thread, 0);
        return;
    }
}

// Ends

static void process_ended(struct tracing* tracing, pid_t process, int status, bool reported) {
    bool is_command = process == command_alive;
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (is_command) {
        command_alive = 0;
        tracing->status = status;
    }
    if (!reported && (is_fault_signal(number) || (number == SIGKILL && is_command)))
        tracing->died(tracing->context, &(struct tracing_death){.process = process, .number = number});
}

static void ended(struct tracing* tracing, pid_t thread, int status) {
    struct traced* traced = find(thread);
    if (traced != NULL && traced->process == thread) {
        process_ended(tracing, thread, status, traced->reported);
        tracing->over(tracing->context, thread, false);
    }
    forget(thread);
}

// Signals to this process. They stay blocked from here on, and are taken between two stops of the watched threads.

static void block_signals(sigset_t* taken) {
    sigfillset(taken);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, taken, NULL);
}

// Signals from the terminal's keys also reach the command, and so does what a watched process sent to its process
// group.
static void take_signal(int number, const siginfo_t* info) {
    static const int mine[] = {SIGCHLD, SIGCONT, SIGPIPE, SIGTTIN, SIGTTOU, SIGWINCH, SIGURG};
    for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++)
        if (mine[i] == number) return;
    bool by_key = info->si_code == SI_KERNEL && number != SIGHUP;
    bool by_watched = info->si_code <= 0 && find(info->si_pid) != NULL;
    if (command_alive == 0)
        stop_asked = true;
    else if (!by_key && !by_watched)
        kill(command_alive, number);
}

static void take_pending_signals(const sigset_t* taken) {
    static const struct timespec at_once = {0};
    siginfo_t info;
    for (int number; (number = sigtimedwait(taken, &info, &at_once)) > 0;) take_signal(number, &info);
}

static void wait_for_signal(const sigset_t* taken) {
    siginfo_t info;
    int number = sigwaitinfo(taken, &info);
    if (number > 0) take_signal(number, &info);
}

int tracing_seize(pid_t child) {
    uintptr_t options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                        PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    return ptrace(PTRACE_SEIZE, child, NULL, (void*)options) == 0 ? 0 : -1;
}

// Called after the request of a signal has been carried out.
static bool goes_on(const sigset_t* taken) {
    take_pending_signals(taken);
    return command_alive != 0 || (watched > 0 && !stop_asked);
}

static void watch_all(struct tracing* tracing, const sigset_t* taken) {
    while (goes_on(taken)) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
        if (thread < 0) return;  // no process is left
        if (thread == 0)
            wait_for_signal(taken);
        else if (WIFSTOPPED(status))
            stopped(tracing, know(tracing, thread), status);
        else
            ended(tracing, thread, status);
    }
}

static void watch_command(struct tracing* tracing, const sigset_t* taken) {
    tracing->processes = 1;
    while (goes_on(taken)) {
        int status;
        pid_t process = waitpid(command_alive, &status, WNOHANG | WUNTRACED);
        if (process < 0) return;
        if (process == 0)
            wait_for_signal(taken);
        else if (WIFSTOPPED(status))
            raise(SIGSTOP);  // as in at_stop
        else
            process_ended(tracing, process, status, false);
    }
}

void tracing_watch(struct tracing* tracing, pid_t command, bool traced) {
    sigset_t taken;
    command_alive = command;
    block_signals(&taken);
    if (traced)
        watch_all(tracing, &taken);
    else
        watch_command(tracing, &taken);
}
