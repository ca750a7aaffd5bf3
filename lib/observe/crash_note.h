// Where hakstress cannot watch a process by ptrace, the process itself notes its crash (HAKMEM_CRASH_RECORD=1, and
// HAKMEM_RING_FILE): registers, stack and memory map go into the file of the debug ring, which is open already. So it
// does not matter whether the process has changed its root or its user since it started. Then it dies of the signal.
//
//   fault -> on_fault: claimed -> fill -> ready -> wait until hakstress has reported it -> the default action
//
// Handlers are installed only where the action is the default. One that the program installs takes their place.
// Thread-safety: begin: once, at load. The others: each for the calling thread.
// Errors: without memory or a file, nothing is noted, and the process dies as it would.
// The release build has none of this.
#ifndef HAK_OBSERVE_CRASH_NOTE_H
#define HAK_OBSERVE_CRASH_NOTE_H

#include "base/compiler.h"

#if HAK_CHECKED
void crash_note_begin(void);
// A stack for the handler, unless the thread has one: after a stack overflow its own is full.
void crash_note_thread_start(void);
void crash_note_thread_end(void);
#else
HAK_INLINE void crash_note_begin(void) {
}
HAK_INLINE void crash_note_thread_start(void) {
}
HAK_INLINE void crash_note_thread_end(void) {
}
#endif
#endif
