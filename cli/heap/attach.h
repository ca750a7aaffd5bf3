// Asks a running process that has its heap profile on (HAKMEM_PROFILE and HAKMEM_PROFILE_SIGNAL) for a moment.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_HEAP_ATTACH_H
#define HAKSTRESS_HEAP_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Returns when the process has written; `file` is what it wrote to.
bool heap_ask(pid_t pid, char* file, size_t size);

#endif
