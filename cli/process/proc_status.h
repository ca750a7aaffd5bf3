// A line of /proc/PID/status. Thread-safety: any thread.
#ifndef HAKSTRESS_PROC_STATUS_H
#define HAKSTRESS_PROC_STATUS_H

#include <stdbool.h>
#include <sys/types.h>

// The last number of the line "FIELD: ..."; -1 if the process or thread is gone, or has no such line.
long long proc_status(pid_t thread, const char* field);

// Whether it has the root directory and the user of this process: then it can write where this process can.
bool proc_sees_same_files(pid_t thread);

#endif
