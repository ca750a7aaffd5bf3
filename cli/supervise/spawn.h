// Starts the child.
#ifndef HAKSTRESS_SPAWN_H
#define HAKSTRESS_SPAWN_H

#include <sys/types.h>

struct child_process {
    pid_t pid;
    int messages;  // the read end of its stderr; does not block
    int crashes;   // receives one byte when its crash record is ready
};

// Starts this program again as the child for `shared_fd`, in a process group of its own, with all signals unblocked. It
// dies with the calling process. Returns 0, or -1 with errno.
int spawn_child(int shared_fd, struct child_process* child);

#endif
