// Watches a command and all processes and threads that it starts, by ptrace. They run as if unwatched: every signal
// reaches them, they stop and continue as the terminal says, and a crash leaves the system's core dump.
// Thread-safety: one command at a time, in a process with one thread. Errors: a process that is gone is not an error.
#ifndef HAKSTRESS_TRACING_H
#define HAKSTRESS_TRACING_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

// A signal that a thread got, and where it was then.
struct tracing_signal {
    int number;  // 0: none
    double time;
    siginfo_t info;
    struct user_regs_struct registers;
};

enum { TRACING_VECTORS = 832 / sizeof(uint64_t) };

// A thread at its end.
struct tracing_end {
    pid_t thread;
    struct user_regs_struct registers;
    uint64_t vectors[TRACING_VECTORS];  // registers of the floating-point and vector units
};

struct tracing_death {
    pid_t process;
    pid_t thread;                         // the one that died first, stopped, with its memory still there; 0: gone
    int number;                           // number of the signal
    const struct tracing_signal* signal;  // NULL: unknown
};

struct tracing {
    // callbacks, called with `context`
    void* context;
    // A process dies of a fault signal, or the command dies of SIGKILL.
    void (*died)(void* context, const struct tracing_death* death);
    // The last thread of a process is about to end, with its memory still there. `number`: of the signal; 0: by exit.
    void (*exiting)(void* context, pid_t process, pid_t thread, int number);
    // The processor raised SIGSEGV in a thread, which has not received it yet. NULL: not wanted.
    void (*refused)(void* context, pid_t process, pid_t thread, const struct tracing_signal* signal);
    // The process runs another program from now on (`execs`), or is gone: what is known about it is invalid.
    void (*over)(void* context, pid_t process, bool execs);
    // Called before and between stops. Returns after how many seconds it wants to be called again. NULL: not wanted.
    double (*tick)(void* context);
    // SIGQUIT came, from the terminal's key or from another process. It reaches no watched process. NULL: all signals
    // are passed on. Not called if the command is not traced.
    void (*asked)(void* context);
    // After tracing_attach: all watched threads are halted, and are about to go on without this process. NULL: not
    // wanted.
    void (*leaving)(void* context);
    bool keeps_ends;  // tracing_ends() is wanted
    // output
    int status;        // exit status of the command, as waitpid returns it
    size_t processes;  // how many processes there were
    bool detached;     // they go on without this process
    double next_tick;  // for tracing.c
};

// Takes over a child of this process that waits for it. Returns 0, or -1 with errno.
int tracing_seize(pid_t child);

// Takes over all threads of a process that this process did not start. Returns 0, or -1 with errno. A signal that asks
// this process to end then ends the watch: tracing_watch lets all watched threads go.
int tracing_attach(struct tracing* tracing, pid_t process);

// Watches until all processes have ended, or until the command has ended and this process is asked to stop: then the
// remaining processes die with it. If `traced` is false, it waits for the command alone, and calls only `died`, without
// a thread.
void tracing_watch(struct tracing* tracing, pid_t command, bool traced);

// For callbacks: stops all threads of all watched processes, and lets them go on as if nothing had been. A thread that
// the kernel holds up, as the parent in a vfork, goes on meanwhile: it is not waited for longer than a second.
void tracing_halt(struct tracing* tracing);
void tracing_release(struct tracing* tracing);
// Calls `found` for each watched process that has not ended; if the command is not traced, for the command alone.
void tracing_each(void (*found)(void* context, pid_t process), void* context);
bool tracing_is_traced(pid_t process);
// Has a signal stopped it, as SIGSTOP, and not the tracer?
bool tracing_is_stopped(pid_t process);
// Sends a signal to each of them.
void tracing_signal_all(int number);

// The signal of a thread of the process whose last fault was at the address; *thread is the thread. NULL: none.
const struct tracing_signal* tracing_fault_at(pid_t process, uintptr_t address, pid_t* thread);

// While `exiting` is called: the threads that the end of the process found alive. Those that had ended by themselves
// are not among them.
const struct tracing_end* tracing_ends(pid_t process, size_t* count);
// Between tracing_halt() and tracing_release(): tracing_ends() has all threads of the process, as they are. false: one
// of them is not halted, or the process has begun to end.
bool tracing_keep_threads(pid_t process);
void tracing_forget_threads(pid_t process);

// Signals that mean a fault.
bool is_fault_signal(int number);

#endif
