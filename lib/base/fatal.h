// The last words of a process: one line, then abort().
//   hakmem: check=NAME site=SITE text
// The line goes to descriptor 2 if base/output.h allows it, to fatal_hook, and always into hakmem_last_words, for a
// debugger or a core dump:
//   gdb -batch -ex 'p (char*) &hakmem_last_words' PROGRAM CORE
// Thread-safety: any thread, in any state. Uses no malloc, no stdio, no lock.
// Errors: none; it does not return.
#ifndef HAK_BASE_FATAL_H
#define HAK_BASE_FATAL_H

#include "base/atomic.h"

enum { LAST_WORDS = 1024 };

// The line of the first thread that failed. A debugger finds it by name, unless the symbol table is stripped; the text
// is in every core dump.
extern HAK_INTERNAL char hakmem_last_words[LAST_WORDS];

// Also gets the line; NULL: nothing does. The checked build sets it for the debug ring. `goes_on`: of a wrong act after
// which the process goes on.
extern HAK_INTERNAL void (*_Atomic fatal_hook)(const char* line, bool goes_on);

// For a wrong call that can be left undone: as fatal(), or with `goes_on` only the line. Then it does not go into
// hakmem_last_words. Only so many lines are written in a process: a server must not fill its disk. The hook gets all.
enum { WRONG_CALL_LINES = 100 };
HAK_COLD void wrong_call(bool goes_on, const char* check, const char* site, const char* format, ...) HAK_PRINTF(4, 5);

// Tells a whole line as fatal() does, and returns. fatal_abort() ends the process then.
HAK_COLD void last_words(const char* line);
HAK_COLD HAK_NORETURN void fatal_abort(void);
// Tells a whole line as wrong_call() does if the process goes on, without its bound.
HAK_COLD void passing_words(const char* line);
HAK_COLD HAK_NORETURN void fatal(const char* check, const char* site, const char* format, ...) HAK_PRINTF(3, 4);

#endif
