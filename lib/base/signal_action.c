#include "base/signal_action.h"

#include "base/syscall.h"
#include "base/text.h"

enum { SET_BYTES = 8 };

#if defined(__x86_64__)
enum { NEEDS_RESTORER = 0x04000000 };
HAK_INTERNAL void signal_restorer(void);
#define TEXT_OF(macro) TEXT(macro)
#define TEXT(words) #words
// Debuggers and unwinders know the frame of a signal by these very instructions.
__asm__(".pushsection .text\n"
        ".p2align 4\n"
        "nop\n"  // unwinders look up the address before a return address
        ".globl signal_restorer\n"
        ".hidden signal_restorer\n"
        ".type signal_restorer, @function\n"
        "signal_restorer:\n"
        "mov $" TEXT_OF(SYS_rt_sigreturn) ", %rax\n"
                                          "syscall\n"
                                          ".size signal_restorer, .-signal_restorer\n"
                                          ".popsection\n");
#else
enum { NEEDS_RESTORER = 0 };
#define signal_restorer NULL
#endif

SignalAction signal_action(uint64_t flags, uint64_t mask) {
    return (SignalAction){.flags = flags | NEEDS_RESTORER, .restorer = signal_restorer, .mask = mask};
}

bool signal_exchange(int signal, const SignalAction* wanted, SignalAction* found) {
    return !sys_failed(sys_call4(SYS_rt_sigaction, signal, (long)wanted, (long)found, SET_BYTES));
}

bool signal_take_default(int signal, void (*handler)(int), uint64_t flags) {
    SignalAction action = signal_action(SA_ONSTACK | flags, 0), found = {.flags = 0};
    action.handler.plain = handler;
    return signal_exchange(signal, NULL, &found) && found.handler.plain == SIG_DFL &&
           signal_exchange(signal, &action, NULL);
}

// NULL: a user may send it.
static const char* why_not(int signal) {
    enum { FIRST_OF_C_LIBRARY = 32, LAST_OF_C_LIBRARY = 33 };
    switch (signal) {
    case SIGKILL:
    case SIGSTOP: return "no process can handle this signal";
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
    case SIGSYS:
    case SIGABRT: return "this signal tells of a fault";
    case SIGCHLD: return "this signal tells of a child";
    case FIRST_OF_C_LIBRARY:
    case LAST_OF_C_LIBRARY: return "the C library needs this signal";
    default: return NULL;
    }
}

void signal_take_for(const char* option, int signal, void (*handler)(int)) {
    if (signal == 0) return;
    const char* why = why_not(signal);
    if (why == NULL && !signal_take_default(signal, handler, SA_RESTART))
        why = "this signal has a handler already, or is ignored";
    if (why) text_warn("hakmem: %s=%d: %s; choose another one, such as 44\n", option, signal, why);
}

// Works without the C library: its abort calls the program's handler, which may have come back here.
void signal_die(int signal) {
    const SignalAction by_default = {.flags = 0};
    const uint64_t set = UINT64_C(1) << (signal - 1);
    signal_exchange(signal, &by_default, NULL);  // cannot fail: the signal and the address are valid
    sys_call3(SYS_tgkill, sys_call3(SYS_getpid, 0, 0, 0), sys_call3(SYS_gettid, 0, 0, 0), signal);
    sys_call4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, SET_BYTES);
    for (;;) sys_call3(SYS_exit_group, 128 + signal, 0, 0);
}
