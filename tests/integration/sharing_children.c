// Children that share the memory of the process until they run another program or end (vfork, posix_spawn,
// clone(CLONE_VM | CLONE_VFORK)), and children that end at once, while other threads allocate.
//
//   sharing_children [ROUNDS]
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHURNERS = 3, SLOTS = 200, SECONDS = 30, STATUS = 7 };
extern char** environ;
static _Atomic bool over;
static char* const quick[] = {(char*)"/bin/true", NULL};

static void* churn(void* seed) {
    Random random = {(uint64_t)(uintptr_t)seed};
    unsigned char* own[SLOTS] = {0};
    while (!atomic_load(&over)) {
        unsigned k = (unsigned)random_below(&random, SLOTS);
        if (own[k] != NULL) CHECK(own[k][0] == k && own[k][7] == k, "block %u is damaged", k);
        t_free(own[k]);
        own[k] = t_malloc(8 + random_below(&random, k % 20 ? 800 : 400000));
        memset(own[k], (int)k, 8);
    }
    for (unsigned k = 0; k < SLOTS; k++) t_free(own[k]);
    return NULL;
}

static void expect(pid_t child, int wanted, const char* what) {
    int status;
    CHECK(child > 0, "%s", what);
    while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == wanted, "%s: wait status %#x", what, status);
}

static int run_program(void* unused) {
    (void)unused;
    execve(quick[0], quick, environ);
    _exit(127);
}

static int end(void* unused) {
    (void)unused;
    _exit(STATUS);
}

static pid_t share(int (*body)(void*)) {
    static char stack[65536] __attribute__((aligned(64)));
    return clone(body, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

static void one_of_each(void) {
    pid_t child = vfork();
    if (child == 0) _exit(STATUS);
    expect(child, STATUS, "vfork and _exit");
    child = vfork();
    if (child == 0) {
        execve(quick[0], quick, environ);
        _exit(127);
    }
    expect(child, 0, "vfork and execve");
    expect(share(run_program), 0, "clone and execve");
    expect(share(end), STATUS, "clone and _exit");
    CHECK(posix_spawn(&child, quick[0], NULL, NULL, quick, environ) == 0, "posix_spawn");
    expect(child, 0, "posix_spawn");
    child = fork();
    if (child == 0) _exit(STATUS);
    expect(child, STATUS, "fork and _exit");
}

int main(int argc, char** argv) {
    uint64_t rounds = test_argument(argc, argv, 1, 40);
    test_start("sharing_children", 0);
    alarm(SECONDS);
    pthread_t threads[CHURNERS];
    for (uintptr_t i = 0; i < CHURNERS; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, (void*)(i + 1)) == 0, "pthread_create");
    for (uint64_t i = 0; i < rounds; i++) {
        unsigned char* p = t_malloc(50000);
        memset(p, 1, 50000);
        one_of_each();
        t_free(p);
    }
    atomic_store(&over, true);
    for (int i = 0; i < CHURNERS; i++) pthread_join(threads[i], NULL);
    test_check_heap();
    test_say("sharing_children: ok");
    return 0;
}
