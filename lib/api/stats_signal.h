// Statistics on a signal: HAKMEM_DUMP_SIGNAL, and SIGTERM where statistics at exit are asked for. At load, handlers are
// installed where the action is the default one. So a handler of the program is never touched, and takes the place of
// this one.
// Thread-safety: once, at load; the handlers take 4 KiB of the stack that the program gives to handlers, or of its own.
// Errors: a signal that can have no handler is told on stderr.
#ifndef HAK_API_STATS_SIGNAL_H
#define HAK_API_STATS_SIGNAL_H

#include "base/compiler.h"

// dump: a signal's number, or 0. ends: also on SIGTERM, of which the process then dies.
void stats_signals_begin(int dump, bool ends);

#endif
