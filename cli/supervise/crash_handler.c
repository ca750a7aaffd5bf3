#include "supervise/crash_handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { ALT_STACK_BYTES = 32 << 10, WAIT_FOR_SUPERVISOR_MS = 20000, RED_ZONE = 128 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof crash_signals[0] };
// Stops the other threads of a crashed process where they are.
#define FREEZE_SIGNAL (SIGRTMIN + 6)

static struct shared* shared_memory;
static int notify_pipe = -1;

// In thread-local storage it comes and goes with its thread, at no cost of its own.
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

// The rings name the threads that allocate; those are the ones that would go on writing events.
static void freeze_others(pid_t self) {
    HakRingFile* ring = shared_ring(shared_memory);
    if (ring->magic != HAK_RING_MAGIC) return;
    for (uint32_t i = 0; i < HAK_RING_SLOTS; i++) {
        const HakRingSlot* slot = hak_ring_slot_at(ring, i);
        pid_t thread = (pid_t)load_relaxed(&slot->os_tid);
        if (load_acquire(&slot->thread) == 0 || thread == self || thread == 0) continue;
        syscall(SYS_tgkill, getpid(), thread, FREEZE_SIGNAL);  // one that has ended by now is as good as frozen
    }
}

// Reading through the kernel gives an error where reading memory would be the next fault.
static void copy_stack(struct crash_record* record, uint64_t stack_pointer) {
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0) return;
    record->stack_address = stack_pointer - RED_ZONE;
    for (size_t done = 0; done < sizeof record->stack;) {
        ssize_t got =
            pread(memory, record->stack + done, sizeof record->stack - done, (off_t)(record->stack_address + done));
        if (got <= 0) break;  // the end of the stack
        done += (size_t)got;
        record->stack_bytes = done;
    }
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
    clock_gettime(CLOCK_MONOTONIC, &now);
    record->time = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    record->signal = signal;
    record->code = info->si_code;
    record->error = info->si_errno;
    if (info->si_code > 0)
        record->fault_address = (uint64_t)(uintptr_t)info->si_addr;
    else
        record->sender = info->si_pid;
#if defined(__x86_64__)
    for (size_t i = 0; i < CRASH_REGISTERS; i++) record->registers[i] = (uint64_t)context->uc_mcontext.gregs[i];
    copy_stack(record, record->registers[REG_RSP]);
#else
    (void)context;
#endif
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
    ssize_t told;
    do told = write(notify_pipe, "!", 1);
    while (told < 0 && errno == EINTR);
    if (told == 1) sleep_ms(WAIT_FOR_SUPERVISOR_MS);
    // Nobody came: die of the signal, as without a handler.
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
    sigaltstack(&stack, NULL);  // without it the handler runs on the thread's own stack, which mostly works
}
