// The library makes no system call that docs/SAFETY.md does not list. A filter (seccomp) lets through those that are
// listed and a few that this program needs itself; the library does everything it can do, and the first other call is
// named.
//
//   listed_calls NUMBER...       the numbers of the listed calls; listed_calls.py starts it. Skipped without seccomp.
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_MOST = 100, MIB = 1 << 20 };

// Threads, processes, signals, time and limits of this program.
static const unsigned own_calls[] = {
    SYS_clone,           SYS_clone3, SYS_set_robust_list, SYS_rseq,       SYS_exit,
    SYS_wait4,           SYS_brk,    SYS_mlockall,        SYS_munlockall, SYS_clock_nanosleep,
    SYS_restart_syscall, SYS_dup3,   SYS_newfstatat,
};

// --- the filter

static void name_call(int signal, siginfo_t* info, void* context) {
    (void)signal, (void)context;
    test_say("listed_calls: FAILED: system call %d is not in docs/SAFETY.md", info->si_syscall);
    _exit(1);
}

static struct sock_filter step(unsigned code, unsigned value, unsigned char if_true) {
    return (struct sock_filter){.code = (unsigned short)code, .jt = if_true, .k = value};
}

static void filter_calls(unsigned* calls, unsigned count) {
    struct sock_filter program[CALLS_MOST + 3];
    program[0] = step(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
    for (unsigned i = 0; i < count; i++)
        program[i + 1] = step(BPF_JMP | BPF_JEQ | BPF_K, calls[i], (unsigned char)(count - i));
    program[count + 1] = step(BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0);
    program[count + 2] = step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0);
    struct sock_fprog filter = {.len = (unsigned short)(count + 3), .filter = program};
    struct sigaction action = {.sa_sigaction = name_call, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0)
        return;
    test_say("listed_calls: the kernel has no seccomp filters (error %d)", errno);
    _exit(TEST_SKIP);
}

// --- what the library can do

static void sizes(void) {
    static void* blocks[1000];
    for (unsigned i = 0; i < 1000; i++) {
        size_t size = i % 50 == 0 ? 1500000 : i % 7 == 0 ? 40000 : 16u + i * 3;
        blocks[i] = i % 11 == 0 ? t_calloc(1, size) : i % 13 == 0 ? t_memalign(8192, size) : t_malloc(size);
        CHECK(blocks[i] != NULL, "no memory for %zu bytes", size);
        memset(blocks[i], 'x', size < 5000 ? size : 5000);
    }
    for (unsigned i = 0; i < 1000; i += 3) blocks[i] = t_realloc(blocks[i], i % 2 ? 100000 : 3000000);
    for (unsigned i = 0; i < 1000; i++) t_free(blocks[i]);
}

// Blocks grow where they are and by moving; free memory beside them is dirty.
static void growth(void) {
    char* p = t_malloc(2 * MIB);
    void* wall = t_malloc(2 * MIB);
    for (size_t size = 4 * MIB; size <= 72 * MIB; size += 4 * MIB) {
        p = t_realloc(p, size);
        CHECK(p != NULL, "no memory for %zu bytes", size);
        memset(p + size - 4 * MIB, 'x', 4 * MIB);
    }
    t_free(wall);
    t_free(p);
    sleep_ms(300);
    sizes();
    t_trim(0);
}

static void* work(void* nothing) {
    (void)nothing;
    for (unsigned i = 0; i < 300; i++) {
        void* p = t_malloc(20000 + i * 1000);
        void* q = t_malloc(3000000);
        CHECK(p != NULL && q != NULL, "no memory");
        t_free(p);
        t_free(q);
    }
    return NULL;
}

static void threads(void) {
    pthread_t handles[6];
    for (unsigned i = 0; i < 6; i++) handles[i] = test_thread(work, NULL);
    for (unsigned i = 0; i < 6; i++) pthread_join(handles[i], NULL);
}

static void expect(pid_t pid, bool aborts, const char* what) {
    int status;
    CHECK(pid > 0, "fork");
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    bool right = aborts ? WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT : status == 0;
    CHECK(right, "%s: wait status %#x", what, (unsigned)status);
}

static void forks(void) {
    pid_t pid = fork();
    if (pid == 0) {
        sizes();
        exit(0);
    }
    expect(pid, false, "the child of a fork");
    pid = _Fork();
    if (pid == 0) {
        sizes();
        _exit(0);
    }
    expect(pid, false, "the child of a fork without handlers");
}

static void last_words(void) {
    pid_t pid = fork();
    char on_stack[64];
    void* volatile wrong = on_stack + 16;
    if (pid == 0) {
        t_free(wrong);
        _exit(0);
    }
    expect(pid, true, "a wrong free");
}

static void statistics(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    malloc_info(0, stdout);
    malloc_stats();
    test_counter("syscall_mmap");
    test_check_heap();
}

// Memory is refused, and given back before that.
static void limits(void) {
    struct rlimit limit, before;
    getrlimit(RLIMIT_AS, &before);
    limit = before;
    limit.rlim_cur = mapped_bytes() + 50 * MIB;
    setrlimit(RLIMIT_AS, &limit);
    for (unsigned round = 0; round < 3; round++) {
        void* p = t_malloc(30 * MIB);
        void* q = t_malloc(60 * MIB);
        t_free(q);
        t_free(p);
    }
    setrlimit(RLIMIT_AS, &before);
}

static void locked(void) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return;  // nothing is locked then
    growth();
    munlockall();
}

int main(int argc, char** argv) {
    unsigned calls[CALLS_MOST], count = 0;
    test_start("listed_calls", 0);
    CHECK(argc > 10 && (size_t)argc + sizeof own_calls / sizeof *own_calls < CALLS_MOST, "%d calls are listed",
          argc - 1);
    for (int i = 1; i < argc; i++) calls[count++] = (unsigned)test_argument(argc, argv, i, 0);
    for (size_t i = 0; i < sizeof own_calls / sizeof *own_calls; i++) calls[count++] = own_calls[i];
    filter_calls(calls, count);
    sizes();
    growth();
    threads();
    forks();
    limits();
    statistics();
    locked();
    last_words();
    test_say("listed_calls: ok, %d listed calls", argc - 1);
    return 0;
}
