#include "supervise/worker_report.h"

#include "base/json.h"
#include "process/process_memory.h"
#include "report/crash_report.h"
#include "supervise/crash_copy.h"

#include <ucontext.h>

#if defined(__x86_64__)
static void take_registers(struct user_regs_struct* to, const ucontext_t* from) {
    const greg_t* values = from->uc_mcontext.gregs;
    *to = (struct user_regs_struct){
        .r8 = (unsigned long long)values[REG_R8],
        .r9 = (unsigned long long)values[REG_R9],
        .r10 = (unsigned long long)values[REG_R10],
        .r11 = (unsigned long long)values[REG_R11],
        .r12 = (unsigned long long)values[REG_R12],
        .r13 = (unsigned long long)values[REG_R13],
        .r14 = (unsigned long long)values[REG_R14],
        .r15 = (unsigned long long)values[REG_R15],
        .rdi = (unsigned long long)values[REG_RDI],
        .rsi = (unsigned long long)values[REG_RSI],
        .rbp = (unsigned long long)values[REG_RBP],
        .rbx = (unsigned long long)values[REG_RBX],
        .rdx = (unsigned long long)values[REG_RDX],
        .rax = (unsigned long long)values[REG_RAX],
        .rcx = (unsigned long long)values[REG_RCX],
        .rsp = (unsigned long long)values[REG_RSP],
        .rip = (unsigned long long)values[REG_RIP],
        .eflags = (unsigned long long)values[REG_EFL],
    };
}
#else
static void take_registers(struct user_regs_struct* to, const ucontext_t* from) {
    *to = (struct user_regs_struct){.sp = from->uc_mcontext.sp, .pc = from->uc_mcontext.pc};
    for (size_t i = 0; i < sizeof to->regs / sizeof to->regs[0]; i++) to->regs[i] = from->uc_mcontext.regs[i];
}
#endif

json_t* worker_report(const struct worker_crash* crash) {
    static CrashRecord record;
    static HakRingFile no_ring;
    struct process_memory memory;
    struct tracing_signal signal = {.number = crash->signal, .time = workload_clock()};
    ucontext_t context;
    process_memory_open(&memory, crash->process);
    bool read = process_memory_read(&memory, crash->info, &signal.info, sizeof signal.info) &&
                process_memory_read(&memory, crash->context, &context, sizeof context);
    process_memory_close(&memory);
    if (!read) return NULL;
    take_registers(&signal.registers, &context);
    crash_copy(&record, crash->thread, &signal);
    struct report_input input = {
        .reason = REPORT_CRASH,
        .crash = &record,
        .ring = &no_ring,
        .child = crash->thread,
        .after = crash->after,
        .messages = "",
        .workload = crash->workload,
        .process = crash->process,
    };
    json_t* report = crash_report_make(&input);
    json_put_text(report, "again", crash->again);
    json_put_whole(report, "pid", crash->process);
    return report;
}
