// The signal of HAKMEM_PROFILE_SIGNAL, which asks for the profile.
// Thread-safety: once, at load.
// Errors: where the signal is refused, it does what it did before, and one line says so.
#ifndef HAK_PROFILE_DUMP_SIGNAL_H
#define HAK_PROFILE_DUMP_SIGNAL_H

#include "base/compiler.h"

// 0: none.
void dump_signal_install(int signal);

#endif
