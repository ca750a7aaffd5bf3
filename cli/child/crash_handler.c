#include "child/crash_handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ALT_STACK_BYTES = 32 << 10, WAIT_FOR_SUPERVISOR_MS = 20000 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof crash_signals[0] };
// Stops the other threads of a crashed process where they are.
#define FREEZE_SIGNAL (SIGRTMIN + 6)

static struct shared* shared_memory;
static int notify_pipe = -1;

// In thread-local storage, so that it needs no allocation and ends with its thread.
static _Thread_local _Alignas(64) unsigned char alt_stack[ALT_STACK_BYTES];

static pid_t thread_id(void) {
    return (pid_t)syscall(SYS_gettid);
}

static void sleep_ms(long ms) {
    struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&nap, NULL);
}

static void on_freeze(int signal) {
    (void)signal;
    for (;;) sleep_ms(1000);  // until the supervisor kills the process
}

struct directory_entry {  // as the kernel returns it
    uint64_t number;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

static pid_t parse_pid(const char* name) {
    pid_t pid = 0;
    for (; *name >= '0' && *name <= '9'; name++) pid = pid * 10 + (*name - '0');
    return pid;
}

static bool freeze_once(pid_t thread) {
    enum { THREADS_MAX = 4096 };
    static pid_t frozen[THREADS_MAX];
    static size_t count;
    for (size_t i = 0; i < count; i++) {
        if (frozen[i] == thread) return false;
    }
    if (count == THREADS_MAX) return false;
    frozen[count++] = thread;
    syscall(SYS_tgkill, getpid(), thread, FREEZE_SIGNAL);  // if it has ended, nothing is lost
    return true;
}

// Freezes all other threads, so that their rings keep what led here. Repeats until it finds no new one, because a
// thread may be starting another.
static void freeze_others(pid_t self) {
    _Alignas(struct directory_entry) char entries[4096];
    for (bool more = true; more;) {
        more = false;
        int directory = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0) return;
        for (long bytes; (bytes = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;) {
            for (long at = 0; at < bytes;) {
                const struct directory_entry* entry = (const void*)(entries + at);
                pid_t thread = parse_pid(entry->name);
                if (thread > 0 && thread != self) more |= freeze_once(thread);
                at += entry->bytes;
            }
        }
        close(directory);
    }
}

static void on_crash(int signal, siginfo_t* info, void* context) {
    CrashRecord* record = &shared_memory->crash;
    pid_t self = thread_id();
    uint32_t nobody = 0;
    if (!cas_acq_rel(&record->claimed, &nobody, (uint32_t)self)) on_freeze(signal);
    freeze_others(self);
    record->tick = hak_ring_clock();
    crash_record_fill(record, signal, info, context);
    store_release(&record->ready, 1u);  // pairs with the acquire in the supervisor
    ssize_t sent;
    do sent = write(notify_pipe, "!", 1);
    while (sent < 0 && errno == EINTR);
    if (sent == 1) sleep_ms(WAIT_FOR_SUPERVISOR_MS);
    // Nobody came: die of the signal, as if there were no handler.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal, &standard, NULL);
    syscall(SYS_tgkill, getpid(), self, signal);
}

int crash_handler_install(struct shared* shared, int notify) {
    shared_memory = shared;
    notify_pipe = notify;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < CRASH_SIGNALS; i++) {
        if (sigaction(crash_signals[i], &action, NULL) != 0) return -1;
    }
    struct sigaction freeze = {.sa_handler = on_freeze, .sa_flags = SA_ONSTACK};
    sigfillset(&freeze.sa_mask);
    return sigaction(FREEZE_SIGNAL, &freeze, NULL);
}

void crash_handler_thread(void) {
    stack_t stack = {.ss_sp = alt_stack, .ss_size = sizeof alt_stack};
    sigaltstack(&stack, NULL);  // without it the handler runs on the thread's own stack, which usually works
}
