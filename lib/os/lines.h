// Lines of a small file, read by raw system calls.
// Thread-safety: none; callers hold a lock. An OsLines is usually static, because a thread's stack may be small.
// Errors: a file that cannot be opened is told; one that cannot be read on ends there.
#ifndef HAK_OS_LINES_H
#define HAK_OS_LINES_H

#include "base/compiler.h"

typedef struct {
    long fd;
    size_t at, end;  // what of `bytes` is not handed out yet
    char bytes[1024];
} OsLines;

// Opening never waits. false: *error is an errno number.
bool os_lines_open(OsLines* lines, const char* path, int* error);
// Writes the next line without its end to `line`, cut if it is too long for `size` bytes; *length is that of the whole
// line. false: there is none.
bool os_lines_next(OsLines* lines, char* line, size_t size, size_t* length);
void os_lines_close(OsLines* lines);

#endif
