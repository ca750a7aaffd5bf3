// The last words: one line, then abort().
//   hakmem: check=NAME site=SITE text
// It goes to descriptor 2 where base/output.h allows that, to fatal_hook, and always into hakmem_last_words, for a core
// dump or a debugger:
//   gdb -batch -ex 'p (char*) &hakmem_last_words' PROGRAM CORE
// Thread-safety: any thread, any state. Uses no malloc, no stdio, no lock.
#ifndef HAK_BASE_FATAL_H
#define HAK_BASE_FATAL_H

#include "base/atomic.h"

enum { LAST_WORDS = 1024 };

// Of the first thread that said any. Found by its name as long as the symbol table is not stripped; the text in any
// core.
extern HAK_INTERNAL char hakmem_last_words[LAST_WORDS];

// Told the line, too; NULL: nobody listens. The debug ring of the checked build does.
extern HAK_INTERNAL void (*_Atomic fatal_hook)(const char* line);

HAK_COLD HAK_NORETURN void fatal(const char* check, const char* site, const char* format, ...) HAK_PRINTF(3, 4);

#endif
