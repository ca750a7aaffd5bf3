// A file that is written as a whole or not at all: beside its place and then into it, so that nobody ever finds half of it under its
// name, nor loses the one that was there.
// Thread-safety: none, the umask is looked at. Errors: false with errno.
#ifndef HAKSTRESS_SAVE_FILE_H
#define HAKSTRESS_SAVE_FILE_H

#include <stdbool.h>
#include <stdio.h>

// Writes `what`; false, with errno, where it could not.
typedef bool (*save_writer)(FILE* file, const void* what);

// What cannot be replaced is written through: a pipe, a device, an open file without a name (/proc/self/fd/N), a file in a folder that
// cannot be written.
bool save_file(const char* path, save_writer write, const void* what);

#endif
