// Registers of a thread of another process, which this process traces and has stopped.
// Thread-safety: any thread. Errors: false if the thread has ended, or is not stopped.
#ifndef HAKSTRESS_REGISTERS_H
#define HAKSTRESS_REGISTERS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

bool registers_read(pid_t thread, struct user_regs_struct* registers);

#endif
