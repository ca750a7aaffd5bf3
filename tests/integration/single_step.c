// Counts the instructions that malloc and free execute on a hit, by running them one at a time under ptrace. It counts
// what really happens: nobody has to guess which way a branch goes.
//
//   single_step LIBRARY [SIZE...]
// Output, one line for each instruction: "malloc SIZE OFFSET" or "free SIZE OFFSET", OFFSET in hexadecimal from the
// start of the library. Exit status: 0; 1: it did not work; 77: ptrace is not allowed, or the machine is not x86-64.
#include "support/test.h"

#include <stdio.h>

#ifdef __x86_64__
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MAX = 100000, WARM_UP = 20 };

typedef struct {
    uintptr_t malloc_entry, free_entry, base;
} Addresses;

// The child reports the addresses, warms up, and brackets one malloc and one free of each size by two breakpoints.
static int be_traced(const char* result_fd, int argc, char** argv) {
    void* (*volatile allocate)(size_t) = malloc;
    void (*volatile release)(void*) = free;
    Dl_info where_malloc, where_free;
    Addresses addresses = {(uintptr_t)dlsym(RTLD_DEFAULT, "malloc"), (uintptr_t)dlsym(RTLD_DEFAULT, "free"), 0};
    if (!dladdr((void*)addresses.malloc_entry, &where_malloc) || !dladdr((void*)addresses.free_entry, &where_free))
        return 1;
    if (where_malloc.dli_fbase != where_free.dli_fbase) return 1;
    addresses.base = (uintptr_t)where_malloc.dli_fbase;
    if (write(atoi(result_fd), &addresses, sizeof addresses) != sizeof addresses) return 1;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) return TEST_SKIP;
    raise(SIGSTOP);
    for (int i = 0; i < argc; i++) {
        size_t size = strtoul(argv[i], NULL, 10);
        for (int n = 0; n < WARM_UP; n++) release(allocate(size));
        // more than one block in the cache, so that the hit is the usual one
        void* first = allocate(size);
        void* second = allocate(size);
        release(first);
        release(second);
        __asm__ volatile("int3" ::: "memory");
        void* p = allocate(size);
        release(p);
        __asm__ volatile("int3" ::: "memory");
    }
    return 0;
}

static bool wait_stop(pid_t child, int* stop_signal) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIP) {
        test_say("single_step: ptrace is not allowed here");
        exit(TEST_SKIP);
    }
    if (!WIFSTOPPED(status)) return false;
    *stop_signal = WSTOPSIG(status);
    return true;
}

static struct user_regs_struct registers(pid_t child) {
    struct user_regs_struct regs;
    CHECK(ptrace(PTRACE_GETREGS, child, NULL, &regs) == 0, "ptrace(GETREGS)");
    return regs;
}

static bool hit_breakpoint(pid_t child) {
    siginfo_t info;
    CHECK(ptrace(PTRACE_GETSIGINFO, child, NULL, &info) == 0, "ptrace(GETSIGINFO)");
    return info.si_code == SI_KERNEL || info.si_code == TRAP_BRKPT;
}

// From the entry of a function to its return, when the stack pointer is above the return address again.
static void trace_function(pid_t child, const char* name, const char* size, uintptr_t base) {
    uintptr_t stack = registers(child).rsp;
    int stop_signal = 0;
    for (unsigned steps = 0;; steps++) {
        struct user_regs_struct regs = registers(child);
        if (regs.rsp > stack) return;
        printf("%s %s %lx\n", name, size, (unsigned long)(regs.rip - base));
        CHECK(steps < STEPS_MAX, "%s did not return", name);
        CHECK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && wait_stop(child, &stop_signal) &&
                  stop_signal == SIGTRAP,
              "single step in %s", name);
    }
}

static void trace_size(pid_t child, const char* size, const Addresses* addresses) {
    int stop_signal = 0;
    CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0 && wait_stop(child, &stop_signal) && stop_signal == SIGTRAP,
          "the first breakpoint of size %s was not reached (signal %d)", size, stop_signal);
    unsigned functions = 0;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        CHECK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && wait_stop(child, &stop_signal) &&
                  stop_signal == SIGTRAP,
              "single step (signal %d)", stop_signal);
        if (hit_breakpoint(child)) break;
        uintptr_t at = registers(child).rip;
        if (at == addresses->malloc_entry)
            trace_function(child, "malloc", size, addresses->base), functions++;
        else if (at == addresses->free_entry)
            trace_function(child, "free", size, addresses->base), functions++;
    }
    CHECK(functions == 2, "size %s: %u calls seen instead of malloc and free", size, functions);
}

int main(int argc, char** argv) {
    if (argc > 3 && strcmp(argv[1], "--traced") == 0) return be_traced(argv[2], argc - 3, argv + 3);
    if (argc < 3) {
        fprintf(stderr, "usage: single_step LIBRARY SIZE...\n");
        return 2;
    }
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0, "pipe");
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        char fd_text[16];
        char** arguments = calloc((size_t)argc + 3, sizeof *arguments);
        snprintf(fd_text, sizeof fd_text, "%d", pipe_fds[1]);
        CHECK(arguments != NULL && setenv("LD_PRELOAD", argv[1], 1) == 0, "no memory");
        arguments[0] = argv[0];
        arguments[1] = (char*)"--traced";
        arguments[2] = fd_text;
        memcpy(arguments + 3, argv + 2, (size_t)(argc - 2) * sizeof *arguments);
        execv("/proc/self/exe", arguments);
        CHECK(false, "execv");
    }
    close(pipe_fds[1]);
    Addresses addresses;
    CHECK(read(pipe_fds[0], &addresses, sizeof addresses) == sizeof addresses, "the traced program told nothing");
    int stop_signal = 0;
    CHECK(wait_stop(child, &stop_signal) && stop_signal == SIGSTOP, "the traced program did not stop");
    for (int i = 2; i < argc; i++) trace_size(child, argv[i], &addresses);
    CHECK(ptrace(PTRACE_KILL, child, NULL, NULL) == 0, "ptrace(KILL)");
    waitpid(child, NULL, 0);
    return 0;
}
#else
int main(void) {
    test_say("single_step: counts instructions of x86-64 only");
    return TEST_SKIP;
}
#endif
