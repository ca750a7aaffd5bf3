// Asks a running process that has its heap profile on for a moment: by the signal of HAKMEM_PROFILE_SIGNAL, or where it
// has none, through its memory (process/live_request.h).
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_HEAP_ATTACH_H
#define HAKSTRESS_HEAP_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Returns when the process has written; `file` is what it wrote to.
bool heap_ask(pid_t pid, char* file, size_t size);

#endif
