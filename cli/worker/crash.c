#include "worker/crash.h"

#include "worker/output.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP};
enum { FATAL = sizeof fatal / sizeof fatal[0] };

void worker_wait_for_end_of_input(void) {
    char byte;
    ssize_t got;
    do got = read(STDIN_FILENO, &byte, 1);
    while (got > 0 || (got < 0 && errno == EINTR));
}

// A fault is made once more after the return, and is then deadly; a signal that was sent is sent again.
static void on_crash(int number, siginfo_t* info, void* context) {
    static int crashed;
    if (__atomic_exchange_n(&crashed, 1, __ATOMIC_RELAXED) != 0)
        for (;;) pause();
    worker_put(STDOUT_FILENO, "crash signal=%d thread=%d info=0x%lx context=0x%lx\n", number, (int)gettid(),
               (unsigned long)(uintptr_t)info, (unsigned long)(uintptr_t)context);
    worker_wait_for_end_of_input();
    signal(number, SIG_DFL);
    if (info->si_code <= 0) raise(number);
}

void worker_crash_watch(void) {
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FATAL; i++) sigaction(fatal[i], &action, NULL);
}

void worker_crash_ignore(void) {
    for (size_t i = 0; i < FATAL; i++) signal(fatal[i], SIG_DFL);
}
