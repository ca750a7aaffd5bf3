// Walks up a stack: who called, who called the caller, and so on.
//
//   frame ──> rule of the place in the code ──> frame of the caller ──> ...
//             from the cache, else from the unwind tables of the program or library (cfi.h); where no table tells, the
//             frame pointer is followed, as long as it leads up the stack
//
// Frames of signal handlers are walked through. A walk ends at the outermost function, at what cannot be read, at what
// leads nowhere, and at the depth asked for.
// Thread-safety: any thread, and signal handlers on any stack: no lock, no malloc, errno is kept.
// Errors: a damaged stack gives a shorter walk, or wrong addresses, but no fault.
#ifndef HAK_STACK_UNWIND_H
#define HAK_STACK_UNWIND_H

#include "base/compiler.h"

enum { STACK_DEPTH_MAX = 64 };

// Both write at most `most` addresses, the innermost first, and return how many.

// From a function of the library: `frame` is its __builtin_frame_address(0), `pc` its return address. Return addresses
// only, beginning with pc.
uint32_t stack_here(const void* frame, uintptr_t pc, uintptr_t* out, uint32_t most);
// From a signal handler: `context` is its third argument. The first address is the instruction that was interrupted.
uint32_t stack_of_context(const void* context, uintptr_t* out, uint32_t most);

#endif
