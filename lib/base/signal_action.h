// What a process does when a signal comes, by the kernel's own call: no library can stand in front of it, and a handler
// of the program is seen as it is.
// Thread-safety: all functions, also in a signal handler.
// Errors: signal_exchange: false where the kernel refuses; nothing has changed then.
#ifndef HAK_BASE_SIGNAL_ACTION_H
#define HAK_BASE_SIGNAL_ACTION_H

#include "base/compiler.h"

#include <signal.h>

// In the kernel's layout. All zero is the default.
typedef struct {
    union {
        void (*plain)(int);
        void (*with_info)(int, siginfo_t*, void*);
    } handler;
    uint64_t flags;
    void (*restorer)(void);  // what the handler returns to
    uint64_t mask;
} SignalAction;

// For a handler of ours, which the caller fills in.
SignalAction signal_action(uint64_t flags, uint64_t mask);
// Sets the action (NULL: leaves it), and says which one was in force (NULL: does not).
bool signal_exchange(int signal, const SignalAction* wanted, SignalAction* found);
// Has `handler` called, unless the signal's action is not the default: then false.
bool signal_take_default(int signal, void (*handler)(int), uint64_t flags);
// The same for a signal by which a user asks for something; 0: none. Where he cannot, one line says why and what to do.
// `option`: in which the user has named it.
void signal_take_for(const char* option, int signal, void (*handler)(int));
// Ends the process by a signal, whatever handler the program has for it.
HAK_NORETURN void signal_die(int signal);

#endif
