// A call of the program, as guard mode notes it: the public function, and where in the program it was called.
// A door that only calls a hak_ function is a jump in any optimised build: the return address that the hak_ function
// sees is the program's.
// Thread-safety: constant.
// Errors: none.
#ifndef HAK_GUARD_GUARD_CALL_H
#define HAK_GUARD_GUARD_CALL_H

#include "superslab/guard_record.h"

typedef struct {
    const char* function;  // its name for the program
    HakGuardFamily family;
    const void* site;   // return address
    const void* frame;  // of the public function
} GuardCall;

// For the bodies of public functions.
#if HAK_CHECKED
#define GUARD_CALL(function, family) \
    (&(const GuardCall){(function), (family), __builtin_return_address(0), __builtin_frame_address(0)})
#else
#define GUARD_CALL(function, family) ((const GuardCall*)NULL)
#endif

#endif
