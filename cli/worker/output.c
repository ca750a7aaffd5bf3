#include "worker/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void worker_put(int fd, const char* format, ...) {
    static char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t left = length < (int)sizeof text ? (size_t)length : sizeof text - 1;
    for (const char* next = text; left > 0;) {
        ssize_t written = write(fd, next, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(3);
        next += written;
        left -= (size_t)written;
    }
}
