// The debug ring in a file (HAKMEM_RING_FILE), which another process can read, even after this one has ended.
// Thread-safety: under the caller's lock.
// Errors: NULL or false; errno is kept; the caller goes on without. Checked build only.
#ifndef HAK_OBSERVE_RING_FILE_H
#define HAK_OBSERVE_RING_FILE_H

#include "base/compiler.h"

// Maps a new, zeroed file of `bytes`, in place of one of the same name. NULL also if none is wanted.
void* ring_file_map(size_t bytes);

// Makes sure that the file system has room for these bytes of the mapping; otherwise a write to them would be a SIGBUS.
bool ring_file_reserve(const void* from, size_t bytes);

#endif
