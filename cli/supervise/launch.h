// Starting a command of the user's, so that it is traced from its first instruction, in this process's environment, process group
// and with its files and signal settings.
// Thread-safety: none needed. Errors: launch gives false after a message.
#ifndef HAKSTRESS_LAUNCH_H
#define HAKSTRESS_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    pid_t pid;
    bool traced;
    int trace_error;  // errno, when it is not traced
    int failure;      // the read end of a pipe: why it could not be started
};

bool launch(struct launch* launch, char** command);

// Once the process has ended: the errno of its exec, 0 when that worked.
int launch_error(struct launch* launch);

#endif
