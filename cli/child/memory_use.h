// The memory that a process occupies, without what it shares with its supervisor.
#ifndef HAKSTRESS_MEMORY_USE_H
#define HAKSTRESS_MEMORY_USE_H

#include <stdint.h>
#include <sys/types.h>

// `total` is "VmRSS" for now or "VmHWM" for the peak. 0 if the process is gone.
uint64_t memory_own_kib(pid_t pid, const char* total);

#endif
