// Writes a file as a whole or not at all: the content is first written beside the file and then moved into its place.
// So nobody finds a half-written file, and the old one is not lost.
// Thread-safety: none, because the umask is read. Errors: false with errno.
#ifndef HAKSTRESS_SAVE_FILE_H
#define HAKSTRESS_SAVE_FILE_H

#include <stdbool.h>
#include <stdio.h>

// Writes `what`; false with errno if it could not.
typedef bool (*save_writer)(FILE* file, const void* what);

// What cannot be replaced is written to directly: a pipe, a device, an open file without a name (/proc/self/fd/N), a
// file in a folder that cannot be written to.
bool save_file(const char* path, save_writer write, const void* what);

#endif
