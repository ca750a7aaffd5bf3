// Watching a command and all processes and threads that come of it, by ptrace. The watched notice nothing of it: every signal
// reaches them as if nobody looked, they stop and go on as the terminal says, and a crash leaves the core dump that the system makes.
// Thread-safety: one command at a time, in a process with one thread. Errors: a process that is gone is no error.
#ifndef HAKSTRESS_TRACING_H
#define HAKSTRESS_TRACING_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

// A signal that reached a thread, and where that was.
struct tracing_signal {
    int number;  // 0: none
    double time;
    siginfo_t info;
    struct user_regs_struct registers;
};

struct tracing_death {
    pid_t process;
    pid_t thread;                         // the one that died first, stopped, its memory still there; 0: gone
    int number;                           // of the signal
    const struct tracing_signal* signal;  // NULL: unknown
};

struct tracing {
    // what to do, with `context`
    void* context;
    // A process dies of a signal that tells of a fault, or the command of SIGKILL.
    void (*died)(void* context, const struct tracing_death* death);
    // The last thread of a process stands at its end, its memory still there; `cleanly`: by exit and not by a signal.
    void (*exiting)(void* context, pid_t process, pid_t thread, bool cleanly);
    // The process runs another program from now on, or is gone: what is known of it is void.
    void (*over)(void* context, pid_t process);
    // what came of it
    int status;        // of the command, as waitpid gives it
    size_t processes;  // that there were
};

// Takes over a child of this process that waits for it. Gives 0, or -1 with errno.
int tracing_seize(pid_t child);

// Watches until all have ended; or until the command has ended and somebody asks this process to stop: what is left then dies with it.
// `traced` false: waits for the command alone, and calls only `died`, without thread.
void tracing_watch(struct tracing* tracing, pid_t command, bool traced);

// Signals that tell of a fault.
bool is_fault_signal(int number);

#endif
