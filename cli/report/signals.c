#include "report/signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char* signal_name(int signal) {
    static char name[32];
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation != NULL)
        snprintf(name, sizeof name, "SIG%s", abbreviation);
    else
        snprintf(name, sizeof name, "SIG%d", signal);
    return name;
}

const char* signal_code_name(int signal, int code) {
    switch (code) {
    case SI_USER: return "SI_USER";
    case SI_TKILL: return "SI_TKILL";
    case SI_QUEUE: return "SI_QUEUE";
    case SI_KERNEL: return "SI_KERNEL";
    default: break;
    }
    static const struct {
        int signal, code;
        const char* name;
    } names[] = {
        {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"}, {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
        {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},    {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},
        {SIGBUS, BUS_OBJERR, "BUS_OBJERR"},    {SIGFPE, FPE_INTDIV, "FPE_INTDIV"},
        {SIGFPE, FPE_INTOVF, "FPE_INTOVF"},    {SIGFPE, FPE_FLTDIV, "FPE_FLTDIV"},
        {SIGFPE, FPE_FLTOVF, "FPE_FLTOVF"},    {SIGFPE, FPE_FLTUND, "FPE_FLTUND"},
        {SIGFPE, FPE_FLTRES, "FPE_FLTRES"},    {SIGFPE, FPE_FLTINV, "FPE_FLTINV"},
        {SIGILL, ILL_ILLOPC, "ILL_ILLOPC"},    {SIGILL, ILL_ILLOPN, "ILL_ILLOPN"},
        {SIGILL, ILL_ILLADR, "ILL_ILLADR"},    {SIGILL, ILL_ILLTRP, "ILL_ILLTRP"},
        {SIGILL, ILL_PRVOPC, "ILL_PRVOPC"},    {SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT"},
        {SIGTRAP, TRAP_TRACE, "TRAP_TRACE"},   {SIGSYS, 1, "SYS_SECCOMP"},  // glibc 2.36 has no name for it
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].signal == signal && names[i].code == code) return names[i].name;
    return "unknown";
}

#if defined(__x86_64__)
const char* register_name(unsigned index) {
    static const char* const names[CRASH_REGISTERS] = {
        [REG_R8] = "r8",   [REG_R9] = "r9",   [REG_R10] = "r10", [REG_R11] = "r11", [REG_R12] = "r12",
        [REG_R13] = "r13", [REG_R14] = "r14", [REG_R15] = "r15", [REG_RDI] = "rdi", [REG_RSI] = "rsi",
        [REG_RBP] = "rbp", [REG_RBX] = "rbx", [REG_RDX] = "rdx", [REG_RAX] = "rax", [REG_RCX] = "rcx",
        [REG_RSP] = "rsp", [REG_RIP] = "rip",
    };
    return index < CRASH_REGISTERS ? names[index] : NULL;
}

// Bits of the page-fault error code: 0x2 write, 0x10 instruction fetch. Trap 14 is the page fault.
const char* fault_access(const CrashRecord* record) {
    if (record->registers[REG_TRAPNO] != 14) return NULL;
    uint64_t error = record->registers[REG_ERR];
    if ((error & 0x10) != 0) return "execute";
    return (error & 0x2) != 0 ? "write" : "read";
}

bool is_canonical(uint64_t address) {
    uint64_t top = address >> 47;
    return top == 0 || top == 0x1ffff;
}
#else
const char* register_name(unsigned index) {
    static const char* const names[CRASH_REGISTERS] = {
        "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
        "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
        "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",
    };
    return index < CRASH_REGISTERS ? names[index] : NULL;
}

const char* fault_access(const CrashRecord* record) {
    static const char* const names[] = {NULL, "read", "write", "execute"};
    return names[syndrome_access(record->registers[CRASH_SYNDROME])];
}

// With a tag in the uppermost byte, which accesses ignore, an address is one all the same.
bool is_canonical(uint64_t address) {
    uint64_t top = address >> 48 & 0xff;
    return top == 0 || top == 0xff;
}
#endif
