// Whose turn it is to write statistics: one report at a time, by whichever thread or signal handler. A signal that ends
// the process waits for the report that is being written, and comes from here.
// Thread-safety: all functions; async-signal-safe.
// Errors: none.
#ifndef HAK_API_STATS_TURN_H
#define HAK_API_STATS_TURN_H

#include "base/compiler.h"

// False: another report is being written, by another thread or by what this handler interrupted; or system calls may
// end the process. Never waits.
bool stats_turn_take(void);
// Ends the process if that was asked for meanwhile.
void stats_turn_give(void);
// From now on the end of the report that is being written, or of the next one, ends the process by this signal. If that
// was asked for before, the process ends at once: the report may wait for a reader that never comes.
void stats_turn_ends_by(int signal);

#endif
