#include "os/lines.h"

#include "base/syscall.h"

#include <fcntl.h>

bool os_lines_open(OsLines* lines, const char* path, int* error) {
    enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
    lines->at = lines->end = 0;
    lines->fd = sys_call4(SYS_openat, AT_FDCWD, (long)path, FLAGS, 0);
    *error = sys_failed(lines->fd) ? (int)-lines->fd : 0;
    return *error == 0;
}

static bool fill(OsLines* lines) {
    long got = sys_call3(SYS_read, lines->fd, (long)lines->bytes, sizeof lines->bytes);
    lines->at = 0;
    lines->end = sys_failed(got) ? 0 : (size_t)got;
    return lines->end > 0;
}

bool os_lines_next(OsLines* lines, char* line, size_t size, size_t* length) {
    bool begun = false;
    *length = 0;
    while (lines->at < lines->end || fill(lines)) {
        char c = lines->bytes[lines->at++];
        begun = true;
        if (c == '\n') break;
        if (*length < size - 1) line[*length] = c;
        ++*length;
    }
    line[*length < size ? *length : size - 1] = '\0';
    return begun;
}

void os_lines_close(OsLines* lines) {
    sys_call3(SYS_close, lines->fd, 0, 0);  // the number is free afterwards, whatever the result
}
