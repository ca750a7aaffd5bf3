#include "supervise/tracing.h"

#include "base/array.h"
#include "process/proc_status.h"
#include "process/registers.h"
#include "workload/workload.h"

#include <dirent.h>
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
    bool stays_stopped;  // by a signal, until another one continues it
    bool halted;         // by tracing_halt
    int halted_by;       // the status with which it stopped
};

static struct traced* table[BUCKETS];
static size_t watched;       // threads in the table
static pid_t command_alive;  // its number; 0: it has ended
static bool stop_asked;
static bool attached;  // to processes of others, which survive this one

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
        !registers_read(traced->thread, &last->registers))
        last->number = 0;
    else if (last->info.si_code > 0)
        traced->fault = *last;
    if (last->number == SIGSEGV && last->info.si_code > 0 && tracing->refused != NULL)
        tracing->refused(tracing->context, traced->process, traced->thread, last);
}

// Is the thread ending at the instruction where it got the signal? One that survived the signal has moved since.
static bool died_of_last(const struct traced* traced, int number) {
    struct user_regs_struct now;
    return traced->last.number == number && registers_read(traced->thread, &now) &&
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
    struct tracing_end* more = array_room(process->ends, process->end_count, &process->end_room, 4, sizeof *more);
    if (more == NULL) return;
    process->ends = more;
    struct tracing_end* end = &process->ends[process->end_count];
    struct iovec vectors = {end->vectors, sizeof end->vectors};
    *end = (struct tracing_end){.thread = traced->thread};
    if (!registers_read(traced->thread, &end->registers) || has_left(traced, process, end)) return;
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
    if (comes_to_end(traced))
        tracing->exiting(tracing->context, traced->process, traced->thread, known ? number : SIGKILL);
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
    bool is_new = !traced->stays_stopped;
    traced->stays_stopped = true;
    if (ptrace(PTRACE_LISTEN, traced->thread, NULL, NULL) != 0) return;
    bool by_terminal = number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
    if (is_new && by_terminal && traced->thread == command_alive) raise(SIGSTOP);
}

// The key that sends SIGQUIT asks this process for a report.
static bool is_question(const struct tracing* tracing, const struct traced* traced, int number) {
    siginfo_t info;
    return tracing->asked != NULL && number == SIGQUIT && ptrace(PTRACE_GETSIGINFO, traced->thread, NULL, &info) == 0 &&
           info.si_code == SI_KERNEL;
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
        resume(traced->thread, is_question(tracing, traced, number) ? 0 : number);
        return;
    case PTRACE_EVENT_EXIT: at_exit(tracing, traced); return;
    case PTRACE_EVENT_EXEC: at_exec(tracing, traced); return;
    case PTRACE_EVENT_STOP:
        if (is_stop_signal(number)) {
            at_stop(traced, number);
            return;
        }
        traced->stays_stopped = false;
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

// Halts

static void note_halt(struct tracing* tracing, pid_t thread, int status) {
    struct traced* traced = know(tracing, thread);
    if (status >> 16 == PTRACE_EVENT_EXEC) forget_other_threads(traced);  // they do not exist any more
    traced->halted = true;
    traced->halted_by = status;
}

// All stops and ends that are there.
static void take_halts(struct tracing* tracing) {
    int status;
    for (pid_t thread; (thread = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
        if (WIFSTOPPED(status))
            note_halt(tracing, thread, status);
        else
            ended(tracing, thread, status);
    }
}

static bool awaits_halt(const struct traced* traced) {
    return !traced->halted && !traced->exiting;
}

static bool all_halted(void) {
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct traced* traced = table[i]; traced != NULL; traced = traced->next)
            if (awaits_halt(traced)) return false;
    return true;
}

void tracing_halt(struct tracing* tracing) {
    static const double patience = 1;
    static const struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct traced* traced = table[i]; traced != NULL; traced = traced->next)
            if (awaits_halt(traced)) ptrace(PTRACE_INTERRUPT, traced->thread, NULL, NULL);
    double end = workload_clock() + patience;
    for (take_halts(tracing); !all_halted() && workload_clock() < end; take_halts(tracing))
        sigtimedwait(&child, NULL, &nap);
}

// One that is halted still; NULL: none.
static struct traced* a_halted(void) {
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct traced* traced = table[i]; traced != NULL; traced = traced->next)
            if (traced->halted) return traced;
    return NULL;
}

void tracing_release(struct tracing* tracing) {
    for (struct traced* traced; (traced = a_halted()) != NULL;) {
        traced->halted = false;
        stopped(tracing, traced, traced->halted_by);
    }
}

bool tracing_keep_threads(pid_t number) {
    struct traced* process = find(number);
    if (process == NULL || process->end_count > 0) return false;
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct traced* traced = table[i]; traced != NULL; traced = traced->next) {
            if (traced->process != number || traced->exiting) continue;
            if (!traced->halted) {
                process->end_count = 0;
                return false;
            }
            keep_end(traced, process);
        }
    return process->end_count > 0;
}

void tracing_forget_threads(pid_t process) {
    struct traced* traced = find(process);
    if (traced != NULL) traced->end_count = 0;
}

void tracing_each(void (*found)(void* context, pid_t process), void* context) {
    if (watched == 0 && command_alive != 0) found(context, command_alive);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct traced* traced = table[i]; traced != NULL; traced = traced->next)
            if (traced->process == traced->thread && !(traced->exiting && traced->threads == 0))
                found(context, traced->process);
}

static void send_to(void* number, pid_t process) {
    kill(process, *(const int*)number);
}

void tracing_signal_all(int number) {
    tracing_each(send_to, &number);
}

bool tracing_is_traced(pid_t process) {
    return find(process) != NULL;
}

bool tracing_is_stopped(pid_t process) {
    const struct traced* traced = find(process);
    return traced != NULL && traced->stays_stopped;
}

// Signals to this process. They stay blocked from here on, and are taken between two stops of the watched threads.

static void block_signals(sigset_t* taken) {
    sigfillset(taken);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, taken, NULL);
}

// Signals from the terminal's keys also reach the command, and so does what a watched process sent to its process
// group.
static void take_signal(struct tracing* tracing, int number, const siginfo_t* info) {
    static const int mine[] = {SIGCHLD, SIGCONT, SIGPIPE, SIGTTIN, SIGTTOU, SIGWINCH, SIGURG};
    for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++)
        if (mine[i] == number) return;
    bool by_key = info->si_code == SI_KERNEL && number != SIGHUP;
    bool by_watched = info->si_code <= 0 && find(info->si_pid) != NULL;
    if (number == SIGQUIT && watched > 0 && tracing->asked != NULL) {
        if (!by_watched) tracing->asked(tracing->context);
        return;
    }
    if (command_alive == 0 || attached)
        stop_asked = true;
    else if (!by_key && !by_watched)
        kill(command_alive, number);
}

static void take_pending_signals(struct tracing* tracing, const sigset_t* taken) {
    static const struct timespec at_once = {0};
    siginfo_t info;
    for (int number; (number = sigtimedwait(taken, &info, &at_once)) > 0;) take_signal(tracing, number, &info);
}

// Or until the next tick.
static void wait_for_signal(struct tracing* tracing, const sigset_t* taken) {
    static const double longest = 3600;
    siginfo_t info;
    double left = tracing->tick != NULL ? tracing->next_tick - workload_clock() : longest;
    if (left <= 0) return;
    if (left > longest) left = longest;
    struct timespec most = {.tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
    int number = sigtimedwait(taken, &info, &most);
    if (number > 0) take_signal(tracing, number, &info);
}

static void tick(struct tracing* tracing) {
    if (tracing->tick != NULL && workload_clock() >= tracing->next_tick)
        tracing->next_tick = workload_clock() + tracing->tick(tracing->context);
}

static const uintptr_t events =
    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;

int tracing_seize(pid_t child) {
    return ptrace(PTRACE_SEIZE, child, NULL, (void*)(events | PTRACE_O_EXITKILL)) == 0 ? 0 : -1;
}

// One round through the threads of the process. Returns how many of them were new, or -1 with errno.
static int seize_new_threads(struct tracing* tracing, pid_t process) {
    char path[64];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR* threads = opendir(path);
    if (threads == NULL) return -1;
    for (struct dirent* entry; found >= 0 && (entry = readdir(threads)) != NULL;) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || find(thread) != NULL) continue;
        if (ptrace(PTRACE_SEIZE, thread, NULL, (void*)events) == 0) {
            know(tracing, thread);
            found++;
        } else if (errno != ESRCH && errno != EPERM) {  // these mean that it ends: the first thread was not refused
            found = -1;
        }
    }
    int error = errno;
    closedir(threads);
    errno = error;
    return found;
}

int tracing_attach(struct tracing* tracing, pid_t process) {
    int found;
    sigset_t taken;
    block_signals(&taken);  // a signal that ends this process must let the others go
    if (ptrace(PTRACE_SEIZE, process, NULL, (void*)events) != 0) return -1;
    know(tracing, process);
    attached = true;
    do found = seize_new_threads(tracing, process);
    while (found > 0);
    return found;
}

// Signals that a thread has not received yet still reach it.
static void let_all_go(struct tracing* tracing) {
    tracing_halt(tracing);
    if (tracing->leaving != NULL) tracing->leaving(tracing->context);
    for (struct traced* traced; (traced = a_halted()) != NULL;) {
        bool is_signal = traced->halted_by >> 16 == 0;
        int number = is_signal ? WSTOPSIG(traced->halted_by) : 0;
        ptrace(PTRACE_DETACH, traced->thread, NULL, (void*)(uintptr_t)number);
        remove_at(place_of(traced->thread));
    }
    tracing->detached = true;
}

// Called after the request of a signal has been carried out.
static bool goes_on(struct tracing* tracing, const sigset_t* taken) {
    take_pending_signals(tracing, taken);
    tick(tracing);
    return (command_alive != 0 && !attached) || (watched > 0 && !stop_asked);
}

static void watch_all(struct tracing* tracing, const sigset_t* taken) {
    while (goes_on(tracing, taken)) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL | WNOHANG);
        if (thread < 0) return;  // no process is left
        if (thread == 0)
            wait_for_signal(tracing, taken);
        else if (WIFSTOPPED(status))
            stopped(tracing, know(tracing, thread), status);
        else
            ended(tracing, thread, status);
    }
}

static void watch_command(struct tracing* tracing, const sigset_t* taken) {
    tracing->processes = 1;
    while (goes_on(tracing, taken)) {
        int status;
        pid_t process = waitpid(command_alive, &status, WNOHANG | WUNTRACED);
        if (process < 0) return;
        if (process == 0)
            wait_for_signal(tracing, taken);
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
    if (attached && watched > 0) let_all_go(tracing);
}
