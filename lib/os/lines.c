#include "os/lines.h"

#include "base/syscall.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

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
    bool begun = false, ended = false;
    *length = 0;
    while (!ended && (lines->at < lines->end || fill(lines))) {
        const char* from = lines->bytes + lines->at;
        const size_t left = lines->end - lines->at, bytes = text_before(from, left, '\n');
        const size_t room = *length < size - 1 ? size - 1 - *length : 0;
        memcpy(line + (room ? *length : 0), from, bytes < room ? bytes : room);
        begun = true;
        ended = bytes < left;
        *length += bytes;
        lines->at += bytes + ended;
    }
    line[*length < size ? *length : size - 1] = '\0';
    return begun;
}

void os_lines_close(OsLines* lines) {
    sys_call3(SYS_close, lines->fd, 0, 0);  // the number is free afterwards, whatever the result
}
