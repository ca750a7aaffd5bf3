// Accesses that the compiler does not show: the program's own to its blocks, and those of system calls. They are
// compared with those of the allocator like any others.
// Thread-safety: the process's only running thread.
// Errors: a data race is a fault of the run.
#ifndef EXPLORE_RUNTIME_ACCESS_H
#define EXPLORE_RUNTIME_ACCESS_H

#include <stddef.h>
#include <stdint.h>

// A system call changes what the memory holds, or whether it can be accessed: a plain write, at a point.
void access_by_system(const void* p, size_t bytes);

void access_write(void* p, uint64_t value);
uint64_t access_read(const void* p);

#endif
