// A signal handler that allocates, which no standard allows. It gets its block, or the process ends with a line that
// says what was wrong. The process never hangs, and no block is damaged.
//
//   allocating_handler [PROCESSES [SEED]]
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOTS = 300, HANDLED = 150, SECONDS = 20, PERIOD_US = 300 };
static volatile sig_atomic_t handled;

// Frees each block before it takes the next, so that the interrupted list is as it was.
static void on_signal(int number) {
    static const size_t sizes[] = {16, 100, 700, 5000, 15000, 40000, 300000, 3000000};
    int saved_errno = errno;
    (void)number;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char* p = t_malloc(sizes[i]);
        if (p == NULL) continue;
        memset(p, 0xee, sizes[i] < 1000 ? sizes[i] : 1000);
        t_free(p);
    }
    handled++;
    errno = saved_errno;
}

static void replace(unsigned char** slot, unsigned k, size_t size) {
    for (size_t at = 0; *slot != NULL && at < 8; at++) CHECK((*slot)[at] == k % 251, "block %u is damaged", k);
    t_free(*slot);
    *slot = t_malloc(size);
    CHECK(*slot != NULL, "no memory");
    memset(*slot, (int)(k % 251), 8);
}

static __attribute__((noreturn)) void be_interrupted(uint64_t seed) {
    static unsigned char* slots[SLOTS];
    Random random = {seed};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, PERIOD_US}, {0, PERIOD_US}}, never = {0};
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (handled < HANDLED) {
        unsigned k = (unsigned)random_below(&random, SLOTS);
        replace(&slots[k], k, 8 + random_below(&random, k % 10 ? 1500 : k % 100 ? 60000 : 3000000));
    }
    setitimer(ITIMER_REAL, &never, NULL);
    for (unsigned k = 0; k < SLOTS; k++) t_free(slots[k]);
    test_check_heap();
    _exit(0);
}

typedef struct {
    char words[2000];
    int status;
} End;

// Reads the process's stderr until it ends. A process that is silent for so long hangs.
static End watch(pid_t pid, int from) {
    End end = {0};
    size_t length = 0;
    struct pollfd readable = {.fd = from, .events = POLLIN};
    for (ssize_t n = 1; n > 0;) {
        int ready = poll(&readable, 1, SECONDS * 1000);
        if (ready == 0) kill(pid, SIGKILL);
        CHECK(ready > 0, "the process hangs");
        n = read(from, end.words + length, sizeof end.words - 1 - length);
        if (n > 0) length += (size_t)n;
    }
    CHECK(waitpid(pid, &end.status, 0) == pid, "waitpid");
    return end;
}

static bool is_served(uint64_t seed) {
    int ends[2];
    CHECK(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        char number[24];
        snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        test_run_anew(
            (char*[]){"allocating_handler", "interrupted", number, NULL});  // where stderr leads from the start
    }
    close(ends[1]);
    End end = watch(pid, ends[0]);
    close(ends[0]);
    if (end.status == 0) return true;
    CHECK(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT, "wait status %#x, said: %s", end.status,
          end.words);
    CHECK(strstr(end.words, "hakmem: check=reentered") != NULL, "said: %s", end.words);
    return false;
}

int main(int argc, char** argv) {
    if (argc > 2 && strcmp(argv[1], "interrupted") == 0) be_interrupted(test_argument(argc, argv, 2, 0));
    uint64_t count = test_argument(argc, argv, 1, 10), seed = test_argument(argc, argv, 2, test_random_seed());
    test_start("allocating_handler", seed);
    unsigned served = 0;
    for (uint64_t i = 0; i < count; i++) served += is_served(seed + i);
    test_say("allocating_handler: ok, %u of %llu processes were served to the end", served, (unsigned long long)count);
    return 0;
}
