// The linker's build id, which names exactly one build.
#ifndef HAKSTRESS_BUILD_ID_H
#define HAKSTRESS_BUILD_ID_H

#include <stdbool.h>
#include <stddef.h>

#define BUILD_ID_TEXT_MAX 65

// Of the running program, in hexadecimal; false, and "", when it was linked without one.
bool build_id(char* out, size_t size);
// The same of a program or library on disk; false also when it is none of this machine's kind.
bool build_id_of_file(const char* path, char* out, size_t size);

#endif
