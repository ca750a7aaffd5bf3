#include "base/output.h"

#include "base/atomic.h"
#include "base/syscall.h"

#include <sys/ioctl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    HIGH_FD = 200,         // out of the way of programs that expect low numbers
    NULL_DEVICE = 0x103,   // major number 1, minor 3
    KERNEL_TERMIOS = 128,  // bytes; larger than the kernel's structure
};

// --- what a descriptor leads to

static bool look(int fd, struct stat* seen) {
    *seen = (struct stat){0};
    return fd >= 0 && !sys_failed(sys_call3(SYS_fstat, fd, (long)seen, 0));
}

static Output noted(int fd, const struct stat* seen) {
    return (Output){.fd = fd, .device = seen->st_dev, .inode = seen->st_ino};
}

static Output note(int fd) {
    struct stat seen;
    return look(fd, &seen) ? noted(fd, &seen) : OUTPUT_NOWHERE;
}

static bool is_same(Output output, const struct stat* seen) {
    return output.fd >= 0 && seen->st_dev == output.device && seen->st_ino == output.inode;
}

bool output_is_there(Output output) {
    struct stat seen;
    return look(output.fd, &seen) && is_same(output, &seen);
}

bool output_has_name(Output output) {
    struct stat seen;
    return look(output.fd, &seen) && is_same(output, &seen) && seen.st_nlink > 0;
}

// --- descriptor 2

enum { UNKNOWN, LOOKING, KNOWN };
static _Atomic uint32_t at_load_state;
static Output at_load;

void output_start(void) {
    uint32_t seen = UNKNOWN;
    if (!cas_relaxed(&at_load_state, &seen, (uint32_t)LOOKING)) return;
    at_load = note(STDERR_FILENO);
    store_release(&at_load_state, (uint32_t)KNOWN);  // pairs with the acquire in is_as_at_load
}

// A signal handler that interrupts output_start() sees that the state is not known yet.
static bool is_as_at_load(const struct stat* seen) {
    return load_acquire(&at_load_state) == KNOWN && is_same(at_load, seen);
}

static bool is_terminal(int fd, const struct stat* seen) {
    char settings[KERNEL_TERMIOS];
    return S_ISCHR(seen->st_mode) && !sys_failed(sys_call3(SYS_ioctl, fd, TCGETS, (long)settings));
}

static bool is_null_device(const struct stat* seen) {
    return S_ISCHR(seen->st_mode) && seen->st_rdev == NULL_DEVICE;
}

static bool is_log(int fd, const struct stat* seen) {
    if (!S_ISREG(seen->st_mode)) return false;
    long flags = sys_call3(SYS_fcntl, fd, F_GETFL, 0);
    return !sys_failed(flags) && (flags & O_APPEND) != 0;
}

Output output_stderr(void) {
    enum { FD = STDERR_FILENO };
    struct stat seen;
    output_start();
    if (!look(FD, &seen)) return OUTPUT_NOWHERE;
    bool harmless = is_as_at_load(&seen) || is_null_device(&seen) || is_log(FD, &seen) || is_terminal(FD, &seen);
    return harmless ? noted(FD, &seen) : OUTPUT_NOWHERE;
}

Output output_stderr_at_load(void) {
    struct stat seen;
    output_start();
    return look(STDERR_FILENO, &seen) && is_as_at_load(&seen) ? noted(STDERR_FILENO, &seen) : OUTPUT_NOWHERE;
}

// --- high numbers

// No higher than needed: the kernel's table of descriptors grows with the highest number. Under a low limit, the
// highest free number.
static int duplicate_high(int fd) {
    struct rlimit limit = {0};
    long number = HIGH_FD;
    bool is_known = !sys_failed(sys_call4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit));
    if (is_known && limit.rlim_cur <= HIGH_FD) number = (long)limit.rlim_cur - 1;
    for (; number > STDERR_FILENO; number--) {
        long copy = sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, number);
        if (!sys_failed(copy)) return (int)copy;
        if (copy != -EMFILE) break;
    }
    return -1;
}

Output output_keep_stderr(void) {
    Output now = output_stderr_at_load();
    if (now.fd < 0) return OUTPUT_NOWHERE;
    now.fd = duplicate_high(now.fd);
    return now;
}

static void close_number(int fd) {
    sys_call3(SYS_close, fd, 0, 0);  // the number is free afterwards, whatever the result
}

void output_close(Output output) {
    if (output.fd >= 0) close_number(output.fd);
}

// Numbers 0 to 2 are never kept: the program has closed that one, and may use it again.
static int move_up(int fd) {
    int copy = duplicate_high(fd);
    if (copy < 0 && fd > STDERR_FILENO) return fd;
    close_number(fd);
    return copy;
}

static Output open_high(int folder, const char* name, int flags, int* error) {
    long fd = sys_call4(SYS_openat, folder, (long)name, flags | O_CLOEXEC, 0644);
    if (sys_failed(fd)) {
        *error = (int)-fd;
        return OUTPUT_NOWHERE;
    }
    Output output = note(move_up((int)fd));
    if (output.fd < 0) *error = EMFILE;
    return output;
}

// O_NONBLOCK: opening a pipe without a reader fails instead of waiting. A write may wait.
Output output_open_file(int folder, const char* name, int* error) {
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK;
    Output output = open_high(folder, name, flags, error);
    if (output.fd >= 0)
        sys_call3(SYS_fcntl, output.fd, F_SETFL,
                  O_APPEND);  // if this fails, text may be lost where a write would otherwise wait
    return output;
}

Output output_open_folder(const char* name) {
    int error;
    return open_high(AT_FDCWD, name, O_PATH | O_DIRECTORY, &error);
}

// --- writing

static uint64_t bit_of(int signal) {
    return UINT64_C(1) << (signal - 1);
}

// Blocks the signals that a failed write sends, and removes one that the write raised.
static long write_without_signal(int fd, const char* text, size_t length) {
    uint64_t signals = bit_of(SIGPIPE) | bit_of(SIGXFSZ), before = 0, pending = 0;
    bool held = !sys_failed(sys_call4(SYS_rt_sigprocmask, SIG_BLOCK, (long)&signals, (long)&before, sizeof signals));
    bool known = held && !sys_failed(sys_call3(SYS_rt_sigpending, (long)&pending, sizeof pending, 0));
    long n = sys_call3(SYS_write, fd, (long)text, (long)length);
    uint64_t sent = (n == -EPIPE ? bit_of(SIGPIPE) : n == -EFBIG ? bit_of(SIGXFSZ) : 0) & ~pending;
    struct timespec at_once = {0};
    if (known && sent) sys_call4(SYS_rt_sigtimedwait, (long)&sent, 0, (long)&at_once, sizeof sent);
    if (held) sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
    return n;
}

void output_write(Output output, const char* text, size_t length) {
    if (!output_is_there(output)) return;
    while (length > 0) {
        long n = write_without_signal(output.fd, text, length);
        if (n == -EINTR) continue;
        if (n <= 0) return;
        text += n;
        length -= (size_t)n;
    }
}
