#include "supervise/crash_copy.h"

#include "base/atomic.h"
#include "report/instruction.h"
#include "supervise/user_registers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { RED_ZONE = 128 };

static int open_of(pid_t thread, const char* name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)thread, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void copy_stack(CrashRecord* record, int memory, uint64_t stack_pointer) {
    record->stack_address = stack_pointer - RED_ZONE;
    while (record->stack_bytes < sizeof record->stack) {
        ssize_t got = pread(memory, record->stack + record->stack_bytes, sizeof record->stack - record->stack_bytes,
                            (off_t)(record->stack_address + record->stack_bytes));
        if (got <= 0) return;  // the end of the stack
        record->stack_bytes += (size_t)got;
    }
}

static void copy_maps(CrashRecord* record, pid_t thread) {
    int maps = open_of(thread, "maps");
    if (maps < 0) return;
    while (record->maps_bytes < sizeof record->maps) {
        ssize_t got = read(maps, record->maps + record->maps_bytes, sizeof record->maps - record->maps_bytes);
        if (got <= 0) break;
        record->maps_bytes += (size_t)got;
    }
    close(maps);
}

#if defined(__x86_64__)
void crash_copy_registers(CrashRecord* record, const struct user_regs_struct* from) {
    const unsigned long long values[CRASH_REGISTERS] = {
        [REG_R8] = from->r8,
        [REG_R9] = from->r9,
        [REG_R10] = from->r10,
        [REG_R11] = from->r11,
        [REG_R12] = from->r12,
        [REG_R13] = from->r13,
        [REG_R14] = from->r14,
        [REG_R15] = from->r15,
        [REG_RDI] = from->rdi,
        [REG_RSI] = from->rsi,
        [REG_RBP] = from->rbp,
        [REG_RBX] = from->rbx,
        [REG_RDX] = from->rdx,
        [REG_RAX] = from->rax,
        [REG_RCX] = from->rcx,
        [REG_RSP] = from->rsp,
        [REG_RIP] = from->rip,
        [REG_EFL] = from->eflags,
        [REG_CR2] = record->fault_address,
    };
    for (size_t i = 0; i < CRASH_REGISTERS; i++) record->registers[i] = values[i];
}

// Says, as the kernel does in a signal frame, whether the fault was a read, a write or a fetch of code.
static void find_access(CrashRecord* record, int memory, const struct user_regs_struct* registers) {
    enum { PAGE_FAULT = 14, WRITE = 2, USER = 4, FETCH = 16 };
    bool at_address = record->signal == SIGSEGV && (record->code == SEGV_MAPERR || record->code == SEGV_ACCERR);
    if (!at_address) return;
    struct instruction_state state = {.to = registers->rdi, .stack = registers->rsp, .fault = record->fault_address};
    ssize_t got = pread(memory, state.code, sizeof state.code, (off_t)registers->rip);
    state.bytes = got > 0 ? (size_t)got : 0;
    bool fetch = state.fault >= registers->rip && state.fault - registers->rip < sizeof state.code;
    enum access access = fetch ? ACCESS_READ : instruction_access(&state);
    if (access == ACCESS_UNKNOWN) return;
    record->registers[REG_TRAPNO] = PAGE_FAULT;
    record->registers[REG_ERR] = USER | (fetch ? FETCH : 0) | (access == ACCESS_WRITE ? WRITE : 0);
}

#else
void crash_copy_registers(CrashRecord* record, const struct user_regs_struct* from) {
    memcpy(record->registers, from->regs, sizeof from->regs);
    record->registers[CRASH_SP] = from->sp;
    record->registers[CRASH_PC] = from->pc;
}

// A tracer is not told the syndrome.
static void find_access(CrashRecord* record, int memory, const struct user_regs_struct* registers) {
    (void)record, (void)memory, (void)registers;
}
#endif

static void copy_thread(CrashRecord* record, int memory, const struct user_regs_struct* registers) {
    crash_copy_registers(record, registers);
    if (memory < 0) return;
    copy_stack(record, memory, user_stack_pointer(registers));
    find_access(record, memory, registers);
}

void crash_copy(CrashRecord* record, pid_t thread, const struct tracing_signal* signal) {
    memset(record, 0, sizeof *record);
    record->signal = signal->number;
    record->code = signal->info.si_code;
    record->error = signal->info.si_errno;
    record->time = signal->time;
    if (record->code > 0)
        record->fault_address = (uint64_t)(uintptr_t)signal->info.si_addr;
    else
        record->sender = signal->info.si_pid;
    int memory = open_of(thread, "mem");
    copy_thread(record, memory, &signal->registers);
    if (memory >= 0) close(memory);
    copy_maps(record, thread);
    store_relaxed(&record->claimed, (uint32_t)thread);
    store_relaxed(&record->ready, 1u);
}
