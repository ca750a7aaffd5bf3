// The last words: one line on stderr, then abort().
//   hakmem: check=NAME site=SITE text
// Thread-safety: any thread, any state. Uses no malloc, no stdio, no lock.
#ifndef HAK_OBSERVE_FATAL_H
#define HAK_OBSERVE_FATAL_H

#include "base/compiler.h"

HAK_COLD HAK_NORETURN void fatal(const char* check, const char* site, const char* format, ...) HAK_PRINTF(3, 4);

#endif
