#include "profile/dump_signal.h"

#include "base/signal_action.h"
#include "profile/dump.h"

static void asked(int signal) {
    (void)signal;
    dump_write("signal");
}

void dump_signal_install(int signal) {
    signal_take_for("HAKMEM_PROFILE_SIGNAL", signal, asked);
}
