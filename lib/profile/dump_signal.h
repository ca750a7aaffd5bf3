// The signal of HAKMEM_PROFILE_SIGNAL, which asks for the profile.
// Thread-safety: once, at load.
// Errors: where the kernel refuses, the signal does what it did before.
#ifndef HAK_PROFILE_DUMP_SIGNAL_H
#define HAK_PROFILE_DUMP_SIGNAL_H

#include "base/compiler.h"

// 0: none.
void dump_signal_install(int signal);

#endif
