#include "report/abort_caller.h"

#include "base/json.h"

#include <stdbool.h>
#include <string.h>

// The first one in the backtrace decides: an exception that is not caught ends in std::terminate.
static const struct {
    const char *function, *cause;
} callers[] = {
    {"__cxa_pure_virtual",
     "a pure virtual function was called, on an object that is not yet constructed or already destroyed"},
    {"__cxa_throw", "a C++ exception was not caught, or it left a noexcept function"},
    {"__cxa_rethrow", "a C++ exception was not caught, or it left a noexcept function"},
    {"std::terminate()",
     "std::terminate was called, for example by a std::thread that was neither joined nor detached"},
    {"_ZSt9terminatev", "std::terminate was called, for example by a std::thread that was neither joined nor detached"},
    {"__assert_fail", "an assertion of the program failed"},
    {"__stack_chk_fail", "the stack is damaged: your code wrote past the end of a local variable"},
    {"__chk_fail", "the C library stopped a write past the end of a buffer"},
};

static bool has_frame(const json_t* backtrace, const char* function) {
    size_t i;
    json_t* frame;
    json_array_foreach(backtrace, i, frame) {
        const char* symbol = json_get_text(frame, "symbol");
        if (symbol != NULL && strcmp(symbol, function) == 0) return true;
    }
    return false;
}

const char* abort_caller_cause(const json_t* backtrace, const char** function) {
    for (size_t i = 0; i < sizeof callers / sizeof callers[0]; i++) {
        if (!has_frame(backtrace, callers[i].function)) continue;
        *function = callers[i].function;
        return callers[i].cause;
    }
    return NULL;
}
