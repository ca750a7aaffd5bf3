// The debug ring in a file (HAKMEM_RING_FILE), where another process can read it, also when this one is gone.
// Thread-safety: under the caller's lock. Errors: NULL or false, errno is kept; the caller does without. Checked build only.
#ifndef HAK_OBSERVE_RING_FILE_H
#define HAK_OBSERVE_RING_FILE_H

#include "base/compiler.h"

// A new file of `bytes`, mapped and zeroed, in the place of one of the same name; NULL also when none is wanted.
void* ring_file_map(size_t bytes);

// Makes sure that the file system has room for these bytes of the mapping: without it, writing to them would be a SIGBUS.
bool ring_file_reserve(const void* from, size_t bytes);

#endif
