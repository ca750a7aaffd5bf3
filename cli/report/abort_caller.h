// Why a process called abort(): functions of the C and C++ libraries that do so have something to say.
// Thread-safety: none needed. Errors: NULL, none of them is in the backtrace.
#ifndef HAKSTRESS_ABORT_CALLER_H
#define HAKSTRESS_ABORT_CALLER_H

#include <jansson.h>

// In words; `function` becomes the name of the one that says so.
const char* abort_caller_cause(const json_t* backtrace, const char** function);

#endif
