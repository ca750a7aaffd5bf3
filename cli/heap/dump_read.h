// Reads what a process with HAKMEM_PROFILE wrote (lib/profile/dump.h): the last moment, and the first one, for what
// has grown since.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_HEAP_DUMP_READ_H
#define HAKSTRESS_HEAP_DUMP_READ_H

#include "heap/profile.h"

// Adds what the file says to the profile. A file without a complete moment adds nothing, and is no error.
bool heap_dump_read(struct heap_profile* profile, const char* path);
// The same for all files of a folder.
bool heap_dump_read_folder(struct heap_profile* profile, const char* path);
// How many complete moments the file has.
size_t heap_dump_moments(const char* path);

#endif
