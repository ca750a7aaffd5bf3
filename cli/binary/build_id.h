// The linker's build id, which names exactly one build.
// Thread-safety: none. Errors: false and "" if there is none.
#ifndef HAKSTRESS_BUILD_ID_H
#define HAKSTRESS_BUILD_ID_H

#include <stdbool.h>
#include <stddef.h>

#define BUILD_ID_TEXT_MAX 65

// Of the running program, in hexadecimal, cut to fit.
bool build_id(char* out, size_t size);
// Of a program or library on disk.
bool build_id_of_file(const char* path, char* out, size_t size);

#endif
