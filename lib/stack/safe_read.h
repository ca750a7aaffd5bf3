// Reads words of a stack that may be damaged. What cannot be read is never touched.
//
// Frames of a thread lie between its stack pointer and the end of its own stack, where the C library keeps the thread's
// variables (of the first thread: where the kernel left its random bytes). A page there is tested once by a system
// call, from the end on downwards without a gap. Then it is known for the life of the thread: no part of a stack in use
// is unmapped. On any other stack (of a signal handler, of a coroutine) nothing is known beyond a walk, since such
// memory may go at any time: each page is tested once a walk.
// Thread-safety: a SafeReader is one walk's. What is known of a thread's stack is the thread's; a handler may come at
// any time.
// Errors: false. Where system calls are forbidden, what is not known is not read.
#ifndef HAK_STACK_SAFE_READ_H
#define HAK_STACK_SAFE_READ_H

#include "base/compiler.h"

typedef struct {
    uintptr_t low, high;  // can be read from low up to high
} SafeReader;

// A reader for a walk that begins at this stack pointer.
SafeReader safe_reader(uintptr_t sp);

// The word at `at`, which must be a multiple of 8.
bool safe_read(SafeReader* reader, uintptr_t at, uintptr_t* word);

#endif
