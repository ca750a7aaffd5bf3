// The handler of SIGSEGV: it tells of accesses that the pages of a slot did not allow, and passes the signal on.
//
//   kernel --> level 1 --> the program's handler B --> level 0 (which B found) --> the handler A, or the default
//              ours         installed later             ours                        from before
//
// A handler that the program installs later replaces ours. Each sample looks which one is in force. If it is not ours,
// ours is put in front of it, as another level: a function of its own, so that who restores or calls what he found gets
// just that. What a program asked for (mask, signal stack, SA_NODEFER, SA_RESTART) also holds for the level before it.
// An access that the kernel does for the program is no signal: read() into a closed slot gives EFAULT.
// Thread-safety: handler_install: one caller at a time.
// Errors: with no level left, or where the kernel refuses, the program's handler stays alone.
#ifndef HAK_SAMPLE_HANDLER_H
#define HAK_SAMPLE_HANDLER_H

#include "base/compiler.h"

// Sees to it that our handler is in force.
void handler_install(void);

#endif
