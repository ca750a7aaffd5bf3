// The beginning and the end of a process: blocks allocated before main, by constructors and by the preinit array; exit
// while others allocate; handlers that free when everything is already ending.
//
//   exit [COUNT]       that many child processes of each kind
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef TEST_LINKED
// Of the helper library early.c, which allocates while it is loaded.
void early_check(void);
#endif

static char* from_preinit;
static char* from_constructor;
static char* freed_at_exit[100];

static void before_constructors(int argc, char** argv, char** environment) {
    (void)argc, (void)argv, (void)environment;
    from_preinit = t_malloc(1000);
    if (from_preinit != NULL) memset(from_preinit, 'p', 1000);
}
__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char**, char**) = before_constructors;

__attribute__((constructor)) static void construct(void) {
    from_constructor = t_calloc(3, 40000);
    if (from_constructor != NULL) memset(from_constructor, 'c', 120000);
}

// Runs after all atexit handlers, when most of the C library has ended.
__attribute__((destructor)) static void destruct(void) {
    char* late = t_malloc(5000);
    CHECK(late != NULL, "malloc in a destructor");
    memset(late, 1, 5000);
    t_free(late);
    t_free(from_constructor);
    t_free(from_preinit);
}

static void free_at_exit(void) {
    for (int i = 0; i < 100; i++) {
        CHECK(freed_at_exit[i][0] == 'x', "block %d lost its contents before exit", i);
        t_free(freed_at_exit[i]);
    }
    t_free(t_malloc(3000000));
}

static void* churn(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    char* blocks[64] = {0};
    for (;;) {
        size_t i = random_below(&random, 64);
        t_free(blocks[i]);
        blocks[i] = t_malloc(1 + random_below(&random, random_below(&random, 50) == 0 ? 500000 : 2000));
        if (blocks[i] == NULL) break;
        blocks[i][0] = 'b';
    }
    return NULL;
}

static void* end_the_process(void* argument) {
    (void)argument;
    exit(0);
}

static void start_churn(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, churn, (void*)(uintptr_t)(i + 1)) == 0, "pthread_create");
        CHECK(pthread_detach(thread) == 0, "pthread_detach");
    }
}

typedef enum { FROM_MAIN, FROM_THREAD, MAIN_THREAD_GONE, KINDS } Kind;

static void end(Kind kind, uint64_t n) {
    alarm(20);
    for (int i = 0; i < 100; i++) {
        freed_at_exit[i] = t_malloc((size_t)(1 + i * 50));
        freed_at_exit[i][0] = 'x';
    }
    CHECK(atexit(free_at_exit) == 0, "atexit");
    start_churn(3);
    usleep((useconds_t)(n * 137 % 5000));
    if (kind == FROM_MAIN) exit(0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, end_the_process, NULL) == 0, "pthread_create");
    if (kind == MAIN_THREAD_GONE) pthread_exit(NULL);
    pause();
}

int main(int argc, char** argv) {
    uint64_t count = test_argument(argc, argv, 1, 60);
    test_start("exit", 0);
    CHECK(from_preinit != NULL && from_constructor != NULL, "early blocks: %p, %p", (void*)from_preinit,
          (void*)from_constructor);
    for (int i = 0; i < 1000; i++) CHECK(from_preinit[i] == 'p', "byte %d of a block from before main was lost", i);
    for (int i = 0; i < 120000; i++) CHECK(from_constructor[i] == 'c', "byte %d of a constructor's block was lost", i);
#ifndef TEST_LINKED
    early_check();
#endif
    for (uint64_t n = 0; n < count; n++)
        for (Kind kind = FROM_MAIN; kind < KINDS; kind++) {
            fflush(stdout);
            pid_t pid = fork();
            CHECK(pid >= 0, "fork");
            if (pid == 0) end(kind, n);
            int status;
            while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "kind %d, number %llu: wait status %#x%s", (int)kind,
                  (unsigned long long)n, (unsigned)status,
                  WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", it hung" : "");
        }
    test_say("exit: ok");
    return 0;
}
