// Runs a command with the heap profile on.
// Thread-safety: none. Errors: false after a message.
#ifndef HAKSTRESS_HEAP_START_H
#define HAKSTRESS_HEAP_START_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct heap_start {
    const char* library;  // to be preloaded
    const char* folder;   // for the files of the processes
    uint64_t rate;        // bytes
    uint64_t every_ms;    // 0: only at the end
    int exec_error;       // out: errno if the command could not be started, else 0
    int status;           // out: as waitpid returns it
};

enum { HEAP_SIGNAL = 44 };  // asks a process of the run for a moment, as --pid does

// Returns when the command has ended. Ctrl-C is for the command; SIGTERM and SIGHUP are passed on to it.
bool heap_run(struct heap_start* start, char** command);

#endif
