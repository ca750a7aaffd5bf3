// The files that belong to the running program: beside it, where they were built, or where they were installed.
// Thread-safety: any thread. Errors: false.
#ifndef HAKSTRESS_BESIDE_H
#define HAKSTRESS_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

// The allocator, by its soname: the file without a number is installed only for who builds programs with it.
#define LIBHAKMEM "libhakmem.so.0"

// An absolute path without symbolic links. False after a message if there is no such file.
bool worker_beside(const char* name, char* out, size_t size);
bool library_beside(const char* name, char* out, size_t size);
// The same without a message, for a library that may be missing.
bool library_find_beside(const char* name, char* out, size_t size);

#endif
