// Around a fork of the process: no lock of ours stays with a thread that the child does not have, and what such threads
// had is used again there. See docs/OWNERSHIP.md, "Fork".
// Thread-safety: any thread, also in a signal handler that interrupted one of our operations or another fork.
// Errors: if the handlers cannot be registered, that is reported once.
#ifndef HAK_FRONT_FORK_H
#define HAK_FRONT_FORK_H

#include <stdbool.h>

// Called before a thread takes its first lock, to get its TCB. In a process with threads, copies that are made without
// the handlers are detected from then on.
void fork_thread_begins(void);
// Whether the caller holds none of our locks, and interrupted no operation of its thread.
bool fork_thread_is_calm(void);
// Registers the handlers; once.
void fork_hook(void);

#endif
