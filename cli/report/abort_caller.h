// Why a process called abort(): some functions of the C and C++ libraries that call it give the reason.
// Thread-safety: none needed. Errors: NULL if none of them is in the backtrace.
#ifndef HAKSTRESS_ABORT_CALLER_H
#define HAKSTRESS_ABORT_CALLER_H

#include <jansson.h>

// The reason in words; `function` becomes the name of the function that gives it.
const char* abort_caller_cause(const json_t* backtrace, const char** function);

#endif
