// Runs the command under the recorder, and keeps the directory for the recorder's files.
// Thread-safety: none. Errors: false after a message, unless noted otherwise.
#ifndef HAKSTRESS_RECORD_START_H
#define HAKSTRESS_RECORD_START_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

// Under $TMPDIR or /tmp: on a disk, because it grows by 32 bytes per event.
struct raw_dir {
    char path[PATH_MAX / 2];
};

bool raw_dir_make(struct raw_dir* dir);
void raw_dir_remove(const struct raw_dir* dir);

struct recorded {
    pid_t pid;
    int exec_error;  // errno if the command could not be started, else 0
    int status;      // as waitpid returns it
};

// Returns when the command has ended. Ctrl-C is for the command; SIGTERM and SIGHUP are passed on to it.
bool record_command(const struct raw_dir* dir, char** command, struct recorded* recorded);

#endif
