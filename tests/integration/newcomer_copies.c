// Copies of the process without fork handlers (_Fork, clone), made by a thread that has not allocated, beside the only
// thread that has. Each copy allocates, whatever lock the other thread held.
//
//   newcomer_copies [COPIES]
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 64, LEAST = 300000, STEP = 4096, SECONDS = 20 };

static _Atomic bool over;

static void in_the_copy(void) {
    alarm(SECONDS);
    void* large = t_malloc(1 << 20);
    void* small = t_malloc(100);
    _exit(large == NULL || small == NULL);
}

static void* copy(void* copies) {
    for (uintptr_t i = 0; i < (uintptr_t)copies; i++) {
        pid_t pid = i % 2 ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) : _Fork();
        CHECK(pid >= 0, "copy %lu", (unsigned long)i);
        if (pid == 0) in_the_copy();
        int status;
        while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
        CHECK(status == 0, "copy %lu: wait status %#x%s", (unsigned long)i, status,
              WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hung" : "");
    }
    atomic_store(&over, true);
    return NULL;
}

int main(int argc, char** argv) {
    uint64_t copies = test_argument(argc, argv, 1, 200);
    test_start("newcomer_copies", 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, copy, (void*)(uintptr_t)copies) == 0, "pthread_create");
    while (!atomic_load(&over)) {
        void* block[BLOCKS];
        for (int i = 0; i < BLOCKS; i++) CHECK((block[i] = t_malloc(LEAST + (size_t)i * STEP)) != NULL, "malloc");
        for (int i = 0; i < BLOCKS; i++) t_free(block[i]);
    }
    pthread_join(thread, NULL);
    return 0;
}
