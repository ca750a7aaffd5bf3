// The files that may have the names and lines of a module: the module itself, or its debug information.
// Thread-safety: none needed. Errors: false: there is no such file.
#ifndef HAKSTRESS_MODULE_FILE_H
#define HAKSTRESS_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct module_search {
    const char* folder;  // of files named as the module, or by build id; NULL: none
    bool download;       // from the servers of DEBUGINFOD_URLS
};

enum { MODULE_PLACES = 4 };

// The file at a place, from 0 to MODULE_PLACES - 1: in the folder; under the module's path, if that still has the same
// build id; by build id in /usr/lib/debug; from a server. `build_id` "": unknown.
bool module_file_find(const char* path, const char* build_id, const struct module_search* search, int place, char* out,
                      size_t size);

#endif
