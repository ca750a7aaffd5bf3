#include "profile/dump_signal.h"

#include "base/syscall.h"
#include "base/text.h"
#include "profile/dump.h"
#include "sample/handler.h"

#include <signal.h>

// In the kernel's layout.
typedef struct {
    void (*handler)(int);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
} KernelAction;

static void asked(int signal) {
    (void)signal;
    dump_write("signal");
}

void dump_signal_install(int signal) {
    enum { SET_BYTES = 8 };
    KernelAction action = {.handler = asked, .flags = SA_RESTART | SA_ONSTACK};
    if (signal == 0) return;
#if defined(__x86_64__)
    enum { HAS_RESTORER = 0x04000000 };
    action.flags |= HAS_RESTORER;
    action.restorer = sample_restorer;
#endif
    if (sys_failed(sys_call4(SYS_rt_sigaction, signal, (long)&action, 0, SET_BYTES)))
        text_warn("libhakmem: HAKMEM_PROFILE_SIGNAL: signal %d cannot have a handler\n", signal);
}
