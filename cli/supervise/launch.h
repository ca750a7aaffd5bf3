// Starts the user's command so that it is traced from its first instruction. It keeps the environment, process group,
// files and signal settings of this process.
// Thread-safety: none needed. Errors: launch returns false after a message.
#ifndef HAKSTRESS_LAUNCH_H
#define HAKSTRESS_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch {
    pid_t pid;
    bool traced;
    int trace_error;  // errno, if it is not traced
    int failure;      // the read end of a pipe: why it could not be started
};

bool launch(struct launch* launch, char** command);

// After the process has ended: the errno of its exec, 0 if exec worked.
int launch_error(struct launch* launch);

#endif
