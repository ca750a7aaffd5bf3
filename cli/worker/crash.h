// A crash of the worker: it waits, with its memory still there, until the process that started it has looked at it.
//   worker_crash_watch()  ── a fatal signal ──> a line on stdout ── end of stdin ──> it dies of the signal
// The line: crash signal=N thread=TID info=ADDRESS context=ADDRESS, of the handler's siginfo_t and ucontext_t.
// Thread-safety: any thread may crash; the first one is told of. Errors: without a handler the worker just dies.
#ifndef HAKSTRESS_WORKER_CRASH_H
#define HAKSTRESS_WORKER_CRASH_H

void worker_crash_watch(void);
// From now on nobody reads what it says.
void worker_crash_ignore(void);

void worker_wait_for_end_of_input(void);

#endif
