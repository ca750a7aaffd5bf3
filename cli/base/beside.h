// The files that came with the running program: programs lie beside it, libraries as they are built or installed.
// Thread-safety: any thread. Errors: false.
#ifndef HAKSTRESS_BESIDE_H
#define HAKSTRESS_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

// An absolute path without symbolic links; where there is no such file, after a message.
bool worker_beside(const char* name, char* out, size_t size);
bool library_beside(const char* name, char* out, size_t size);
// The same without a message, for a library that need not be there.
bool library_find_beside(const char* name, char* out, size_t size);

#endif
