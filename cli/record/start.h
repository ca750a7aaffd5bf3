// Running the command under the recorder, and the directory for what it notes.
// Thread-safety: none. Errors: false after a message, unless said otherwise.
#ifndef HAKSTRESS_RECORD_START_H
#define HAKSTRESS_RECORD_START_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

// Under $TMPDIR or /tmp: on a disk, since it grows by 32 bytes an event.
struct raw_dir {
    char path[PATH_MAX / 2];
};

bool raw_dir_make(struct raw_dir* dir);
void raw_dir_remove(const struct raw_dir* dir);

struct recorded {
    pid_t pid;
    int exec_error;  // errno: why the command could not be started; 0: it was
    int status;      // of waitpid
};

// Gives when the command has ended. Ctrl-C is for the command; SIGTERM and SIGHUP are passed on to it.
bool record_command(const struct raw_dir* dir, char** command, struct recorded* recorded);

#endif
