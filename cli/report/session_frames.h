// The stack of a thread, by libdwfl.
// Thread-safety: one session at a time in the whole process. Errors: an empty backtrace; `problem` says why.
#ifndef HAKSTRESS_SESSION_FRAMES_H
#define HAKSTRESS_SESSION_FRAMES_H

#include "process/procmaps.h"

#include <elfutils/libdwfl.h>
#include <jansson.h>

// An array of frames, as code_place() makes them. The session knows the modules, and how to read the thread.
json_t* session_frames(Dwfl* session, const struct procmaps* maps, pid_t thread, const char** problem);

// Call frame information is in the files themselves: for Dwfl_Callbacks.
int session_finds_no_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, const char* path,
                                const char* link, GElf_Word checksum, char** found);

#endif
