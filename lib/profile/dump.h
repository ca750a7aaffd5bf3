// Writes the profile to HAKMEM_PROFILE_FILE, behind what is there: at the end of the process, when a signal asks for it
// (dump_signal.h), and at the first sample after every HAKMEM_PROFILE_EVERY milliseconds. `hakstress profile` reads it.
//
//   hakmem-profile 1 pid=7 rate=524288 why=exit ms=1234 lost=0
//   site LIVE_BLOCKS LIVE_BYTES PEAK_BLOCKS PEAK_BYTES ALL_BLOCKS ALL_BYTES ADDRESS ADDRESS ...
//                          blocks in 1/1024; return addresses in hexadecimal, the innermost first
//   module START END BIAS BUILD_ID PATH
//                          END: behind the last address that a site has there; an address - BIAS is as its symbols have
//   end                    without this line, the process died meanwhile
//
// Thread-safety: any thread, and signal handlers: no malloc. If two threads dump at once, one does nothing. At the end
// of the process it waits up to a second.
// Errors: a file that cannot be opened is told once.
#ifndef HAK_PROFILE_DUMP_H
#define HAK_PROFILE_DUMP_H

#include "base/compiler.h"

void dump_begin(void);
void dump_if_due(void);
// `why`: one word.
HAK_COLD void dump_write(const char* why);
HAK_COLD void dump_at_exit(void);
// In the child of a fork, for its one thread.
void dump_after_fork(void);

#endif
