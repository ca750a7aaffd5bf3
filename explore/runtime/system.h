// The system that the allocator under test runs on: what os.c, wait.c and outside.c share.
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_SYSTEM_H
#define EXPLORE_RUNTIME_SYSTEM_H

#include "runtime/scheduler.h"

// Whether the system call that the current thread makes fails: as its program says, or by choice.
bool system_call_fails(const char* name);
// The next `count` calls of the current thread fail.
void system_calls_will_fail(uint32_t count);
// What the system holds now is what each run begins with.
void system_snapshot(void);
void system_begin_run(void);
// Back to the program's start.
void system_forget_all(void);
// Of what the system remembers outside of the memory: the values of keys.
uint64_t system_hash(void);
// Lets the clock go on.
void system_tick(uint64_t ms);

// What the allocator has printed since the last call.
const char* system_messages(void);
void system_clear_messages(void);

// A hash of all that differs between two processes in which no thread is in the allocator; set by run.c.
extern Hash (*system_whole_state)(void);

// Called after a thread of a run has written 0 into a word of 8 bytes; set by oracle/whole.c.
extern void (*word_became_zero)(const volatile void* word);

// The current thread ends as the C library has it: it calls the destructors of its keys.
void system_end_thread(void);
// The current thread forks. true: it goes on in the child, where it is alone.
bool system_fork(void);
// The same without the handlers of a fork, as _Fork and clone have it. The copy goes on.
void system_copy(void);

extern char explored_single_threaded;  // what the C library says of the process

#endif
