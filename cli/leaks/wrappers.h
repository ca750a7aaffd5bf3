// From which call on a stack is of interest: functions that only pass an allocation on are left out. These are
//   - those with a name on the list: malloc, xstrdup, g_malloc, PyObject_Malloc, operator new, std::..., and the like
//   - functions of the C and C++ libraries
//   - those that take a whole number and return void*, as their debug information says
//   - without debug information: those that a function with such a name calls
//   - those through which at least three different callers lost blocks of different sizes
// Thread-safety: none needed. Errors: none.
#ifndef HAKSTRESS_WRAPPERS_H
#define HAKSTRESS_WRAPPERS_H

#include "leaks/leak_places.h"

// Sets `shown_from` of each stack of a leaks document: the number of its first call of interest. `more`: further
// patterns of names, with commas between them; NULL: none.
void wrappers_find(json_t* leaks, const char* more);

// Does the function's name say that it only passes an allocation on? `more`: as above.
bool is_wrapper_name(const char* function, const char* more);
// Is it one of the C or C++ library's modules, or this allocator's?
bool is_system_module(const char* path);
// Is it a function of such a module?
bool is_system_call(const struct leak_call* call);

#endif
