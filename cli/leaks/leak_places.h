// Functions and lines of the stacks in a leaks document (leaks.h). Each frame gets
//   calls: [{function, file, line, path, passes_size}]
// the innermost function that the compiler inlined there first, the function itself last. A frame of which nothing is
// known has no calls; it may get them later, on a machine that has the module or its debug information.
// Thread-safety: none. Errors: what is not known is left out.
#ifndef HAKSTRESS_LEAK_PLACES_H
#define HAKSTRESS_LEAK_PLACES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// Until lines are known, a module is looked for in files named as it, or by build id, in `folder` (NULL: none); under
// its path, if that still has the same build id; by build id in /usr/lib/debug; and, if `download`, on the servers of
// DEBUGINFOD_URLS.
void leak_places_find(json_t* leaks, const char* folder, bool download);

// One call of a stack.
struct leak_call {
    const json_t* frame;
    const json_t* call;  // NULL: not known
    const char* module;  // path; "": none
};

enum { LEAK_CALLS_MAX = 256 };

// The calls of a stack, inlined ones included; returns how many.
size_t leak_calls(const json_t* leaks, const json_t* stack, struct leak_call* out);
// "FUNCTION (FILE:LINE)", as far as known, else "MODULE+OFFSET"; `whole`: with the module where the line is not known.
void leak_call_text(const struct leak_call* call, bool whole, char* out, size_t size);
const char* leak_call_function(const struct leak_call* call);  // NULL: not known

#endif
