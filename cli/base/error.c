#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static int message(int status, const char* format, va_list args) {
    fputs("hakstress: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    return status;
}

int usage_error(const char* format, ...) {
    va_list args;
    va_start(args, format);
    int status = message(STATUS_USAGE, format, args);
    va_end(args);
    return status;
}

int missing_error(const char* format, ...) {
    va_list args;
    va_start(args, format);
    int status = message(STATUS_MISSING, format, args);
    va_end(args);
    return status;
}
