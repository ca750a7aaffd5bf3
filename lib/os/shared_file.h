// Memory in a file, which another process can read, even after this one has ended.
// Thread-safety: under the caller's lock. Reserving: any thread.
// Errors: NULL or false; errno is kept; the caller goes on without.
#ifndef HAK_OS_SHARED_FILE_H
#define HAK_OS_SHARED_FILE_H

#include "base/compiler.h"

// Maps a new, zeroed file of `bytes`, in place of one of the same name; %p in the name stands for the process id. NULL
// also if the name is empty.
void* shared_file_map(const char* name, size_t bytes);

// Makes sure that the file system has room for these bytes of the mapping; otherwise a write to them would be a SIGBUS.
bool shared_file_reserve(const void* from, size_t bytes);

#endif
