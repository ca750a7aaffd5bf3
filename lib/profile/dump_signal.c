#include "profile/dump_signal.h"

#include "base/signal_action.h"
#include "base/text.h"
#include "profile/dump.h"

static void asked(int signal) {
    (void)signal;
    dump_write("signal");
}

void dump_signal_install(int signal) {
    SignalAction action = signal_action(SA_RESTART | SA_ONSTACK, 0);
    action.handler.plain = asked;
    if (signal != 0 && !signal_exchange(signal, &action, NULL))
        text_warn("libhakmem: HAKMEM_PROFILE_SIGNAL: signal %d cannot have a handler\n", signal);
}
