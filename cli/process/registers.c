#include "process/registers.h"

#include <elf.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

bool registers_read(pid_t thread, struct user_regs_struct* registers) {
    struct iovec all = {registers, sizeof *registers};
    return ptrace(PTRACE_GETREGSET, thread, (void*)(uintptr_t)NT_PRSTATUS, &all) == 0;
}
