// In the child: handles SIGSEGV, SIGBUS, SIGABRT, SIGILL and SIGFPE. The handler copies the state, freezes the other
// threads so that their rings keep what led here, tells the supervisor, and waits for it. It calls nothing but the
// kernel.
// Thread-safety: crash_handler_thread is for the calling thread; the handler may run in any thread.
#ifndef HAKSTRESS_CRASH_HANDLER_H
#define HAKSTRESS_CRASH_HANDLER_H

#include "child/shared.h"

// Installs the handlers of the process. `notify` is a pipe to the supervisor: one byte is written when the record is
// ready. Returns 0, or -1 with errno.
int crash_handler_install(struct shared* shared, int notify);

// Gives the calling thread a separate stack for the handler. Every thread calls it first.
void crash_handler_thread(void);

#endif
