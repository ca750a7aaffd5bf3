#include "child/crash_handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ALT_STACK_BYTES = 32 << 10, WAIT_FOR_SUPERVISOR_MS = 20000, RED_ZONE = 128, PAGE = 4096 };

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

// Reading through the kernel returns an error where reading the memory would fault again.
static void copy_stack_from(struct crash_record* record, int memory, uint64_t address) {
    record->stack_address = address;
    for (size_t done = 0; done < sizeof record->stack;) {
        ssize_t got = pread(memory, record->stack + done, sizeof record->stack - done, (off_t)(address + done));
        if (got <= 0) break;  // the end of the stack
        done += (size_t)got;
        record->stack_bytes = done;
    }
}

// After a stack overflow, the readable stack begins one page above the stack pointer.
static void copy_stack(struct crash_record* record, uint64_t stack_pointer) {
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0) return;
    copy_stack_from(record, memory, stack_pointer - RED_ZONE);
    if (record->stack_bytes == 0) copy_stack_from(record, memory, (stack_pointer + PAGE) & -(uint64_t)PAGE);
    close(memory);
}

static void copy_maps(struct crash_record* record) {
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return;
    while (record->maps_bytes < sizeof record->maps) {
        ssize_t got = read(maps, record->maps + record->maps_bytes, sizeof record->maps - record->maps_bytes);
        if (got <= 0) break;
        record->maps_bytes += (size_t)got;
    }
    close(maps);
}

static void fill(struct crash_record* record, int signal, const siginfo_t* info, const ucontext_t* context) {
    struct timespec now;
    record->tick = hak_ring_clock();
    clock_gettime(CLOCK_MONOTONIC, &now);
    record->time = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    record->signal = signal;
    record->code = info->si_code;
    record->error = info->si_errno;
    if (info->si_code > 0)
        record->fault_address = (uint64_t)(uintptr_t)info->si_addr;
    else
        record->sender = info->si_pid;
    crash_registers_of_context(record->registers, context);
    store_release(&record->started, 1u);  // pairs with the acquire in the report
    copy_stack(record, record->registers[CRASH_SP]);
    copy_maps(record);
}

static void on_crash(int signal, siginfo_t* info, void* context) {
    struct crash_record* record = &shared_memory->crash;
    pid_t self = thread_id();
    uint32_t nobody = 0;
    if (!cas_acq_rel(&record->claimed, &nobody, (uint32_t)self)) on_freeze(signal);
    freeze_others(self);
    fill(record, signal, info, context);
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
