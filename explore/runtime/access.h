// The program's own accesses to its blocks, which are compared with those of the allocator like any others.
// Thread-safety: the process's only running thread.
// Errors: a data race is a fault of the run.
#ifndef EXPLORE_RUNTIME_ACCESS_H
#define EXPLORE_RUNTIME_ACCESS_H

#include <stddef.h>
#include <stdint.h>

void access_write(void* p, uint64_t value);
uint64_t access_read(const void* p);

#endif
