// A process that may only read, write and end (strict seccomp), and may not read the time-stamp counter. It goes on
// with the small blocks that it has used before: these need no system call and no clock.
//
//   strict              skipped where the kernel refuses one of the two
#include "support/test.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_TSC_SIGSEGV
#define PR_TSC_SIGSEGV 2
#endif

enum { SLOTS = 1000, WARM = 400000, STRICT = 3000000 };

static unsigned char* blocks[SLOTS];

static void replace(unsigned k, size_t size) {
    if (blocks[k] != NULL && blocks[k][0] != k % 251) raise(SIGABRT);
    free(blocks[k]);
    blocks[k] = malloc(size);
    if (blocks[k] == NULL) raise(SIGABRT);
    memset(blocks[k], (int)(k % 251), 16);
}

// Always the same blocks in the same order, as in a loop of a program.
static void in_order(unsigned operations) {
    for (unsigned i = 0; i < operations; i++) replace(i % SLOTS, 16 + i % SLOTS);
}

// Gives all back, then takes all again.
static void in_waves(unsigned operations) {
    for (unsigned i = 0; i < operations / SLOTS; i++) {
        for (unsigned k = 0; k < SLOTS; k++) {
            free(blocks[k]);
            blocks[k] = NULL;
        }
        for (unsigned k = 0; k < SLOTS; k++) replace(k, 16 + k % 300);
    }
}

static void be_strict(void (*loop)(unsigned)) {
    loop(WARM);
    if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0)
        _exit(TEST_SKIP);
    loop(STRICT);
    syscall(SYS_exit, 0);  // the only way out
}

static void expect_that_it_ends(void (*loop)(unsigned), const char* what) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) be_strict(loop);
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIP) {
        test_say("strict: the kernel refuses");
        _exit(TEST_SKIP);
    }
    CHECK(status == 0, "%s: wait status %#x: %s", what, status,
          !WIFSIGNALED(status)          ? "?"
          : WTERMSIG(status) == SIGKILL ? "a system call"
          : WTERMSIG(status) == SIGSEGV ? "the time-stamp counter"
                                        : "a wrong block");
}

int main(void) {
    test_start("strict", 0);
    expect_that_it_ends(in_order, "in order");
    expect_that_it_ends(in_waves, "in waves");
    test_say("strict: ok");
    return 0;
}
