// Debug information from the servers that DEBUGINFOD_URLS names, by elfutils' libdebuginfod, if this machine has it.
// Thread-safety: none. Errors: false if there is none.
#ifndef HAKSTRESS_DEBUG_DOWNLOAD_H
#define HAKSTRESS_DEBUG_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>

// The file with the debug information of a build; it stays in libdebuginfod's cache.
bool debug_download(const char* build_id, char* out, size_t size);

#endif
