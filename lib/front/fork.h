// Around a fork of the process: no lock of ours is left with a thread that the child does not have, and what such threads had is used
// again there. See docs/OWNERSHIP.md, "Fork".
// Thread-safety: any thread, also in a signal handler that interrupted an operation of ours or another fork. Errors: when the
// handlers cannot be registered, that is said once.
#ifndef HAK_FRONT_FORK_H
#define HAK_FRONT_FORK_H

// Before a thread gets its control block: from the second one on, copies of the process are watched for that come about without the
// handlers.
void fork_thread_begins(void);
// Registers the handlers; once.
void fork_hook(void);

#endif
