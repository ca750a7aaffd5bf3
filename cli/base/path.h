// Parts of a path, as text.
// Thread-safety: reentrant. Errors: none.
#ifndef HAKSTRESS_PATH_H
#define HAKSTRESS_PATH_H

#include <stdbool.h>

const char* path_file_name(const char* path);                // Without folders
bool path_has_suffix(const char* path, const char* suffix);  // And something before it

#endif
