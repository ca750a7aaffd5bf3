// fork while other threads are inside the allocator. The child uses what it inherited, including blocks of threads that
// do not exist there, allocates, forks once more, and must be done in bounded time.
//
//   fork [COUNT [SEED]]
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHURNERS = 3, SLOTS = 512, CHILD_SECONDS = 20 };
static _Atomic(unsigned char*) slots[SLOTS];
static _Atomic bool stop;
extern char** environ;

static size_t churn_size(Random* random) {
    uint64_t kind = random_below(random, 100);
    return 8 + random_below(random, kind < 90 ? 500 : kind < 98 ? 20000 : 3000000);
}

// Layout: 4 bytes of size, then a byte repeated at the end.
static unsigned char* make(Random* random) {
    uint32_t size = (uint32_t)churn_size(random);
    unsigned char* p = t_malloc(size);
    CHECK(p != NULL, "no memory for %u bytes", size);
    memcpy(p, &size, sizeof size);
    p[size - 1] = p[sizeof size] = (unsigned char)size;
    return p;
}

static void drop(unsigned char* p) {
    if (p == NULL) return;
    uint32_t size;
    memcpy(&size, p, sizeof size);
    CHECK(p[size - 1] == (unsigned char)size && p[sizeof size] == (unsigned char)size,
          "block %p of %u bytes is damaged", (void*)p, size);
    t_free(p);
}

static void* churn(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    while (!atomic_load(&stop)) drop(atomic_exchange(&slots[random_below(&random, SLOTS)], make(&random)));
    return NULL;
}

static void* churn_briefly(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    for (int i = 0; i < 1000; i++) drop(atomic_exchange(&slots[random_below(&random, SLOTS)], make(&random)));
    return NULL;
}

// Threads that come and go, so that forks also meet beginnings, ends and slabs without owner.
static void* breed(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    while (!atomic_load(&stop)) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, churn_briefly, (void*)(uintptr_t)random_next(&random)) == 0,
              "pthread_create");
        pthread_join(thread, NULL);
    }
    return NULL;
}

static void wait_child(pid_t child, const char* what, uint64_t n) {
    int status;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {}
    CHECK(ended == child, "waitpid gave %d", (int)ended);
    CHECK(!WIFSIGNALED(status), "%s %llu: signal %d%s", what, (unsigned long long)n, WTERMSIG(status),
          WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s %llu: exit status %d", what, (unsigned long long)n,
          WEXITSTATUS(status));
}

static void* child_thread(void* argument) {
    Random random = {(uint64_t)(uintptr_t)argument};
    unsigned char* blocks[200];
    for (int i = 0; i < 200; i++) blocks[i] = make(&random);
    for (int i = 0; i < 200; i++) drop(blocks[i]);
    return NULL;
}

static void use_inherited(uint64_t seed) {
    alarm(CHILD_SECONDS);
    Random random = {seed};
    // A slot is one atomic word, and its block was complete before it was stored: what the child sees in it is whole.
    for (int i = 0; i < SLOTS; i++)
        if (random_below(&random, 2) != 0) drop(atomic_exchange(&slots[i], make(&random)));
    for (int i = 0; i < 3000; i++) drop(atomic_exchange(&slots[random_below(&random, SLOTS)], make(&random)));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, child_thread, (void*)(uintptr_t)seed) == 0, "pthread_create in the child");
    pthread_join(thread, NULL);
}

static void end_child(void) {
    for (int i = 0; i < SLOTS; i++) drop(atomic_exchange(&slots[i], NULL));
    test_check_heap();
    _exit(0);
}

static void child(uint64_t seed, bool forks_again) {
    use_inherited(seed);
    if (forks_again) {
        pid_t grandchild = fork();
        CHECK(grandchild >= 0, "fork in the child");
        if (grandchild == 0) {
            use_inherited(seed + 1);
            end_child();
        }
        wait_child(grandchild, "grandchild", seed);
    }
    end_child();
}

static void spawn_and_vfork(uint64_t n) {
    pid_t spawned;
    char* const arguments[] = {(char*)"true", NULL};
    int error = posix_spawnp(&spawned, "true", NULL, NULL, arguments, environ);
    CHECK(error == 0, "posix_spawn gave %d", error);
    wait_child(spawned, "posix_spawn", n);
    pid_t shared = vfork();
    if (shared == 0) _exit(0);
    CHECK(shared > 0, "vfork");
    wait_child(shared, "vfork", n);
}

// --- a thread that first allocates in the last round of destructors: its end goes unnoticed

enum { UNNOTICED = 20, UNNOTICED_SIZE = 48 };
static pthread_key_t last_key;
static pthread_barrier_t forking, both;

static void fill_bin(void) {
    void* blocks[UNNOTICED];
    for (int i = 0; i < UNNOTICED; i++) CHECK((blocks[i] = t_malloc(UNNOTICED_SIZE)) != NULL, "no memory");
    for (int i = 0; i < UNNOTICED; i++) t_free(blocks[i]);
}

static void in_the_last_round(void* round) {
    if ((uintptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(last_key, (char*)round + 1);
    else
        fill_bin();
}

static void* end_unnoticed(void* argument) {
    pthread_setspecific(last_key, (void*)1);
    return argument;
}

static void* wait_for_the_fork(void* argument) {
    fill_bin();
    pthread_barrier_wait(&forking);
    pthread_barrier_wait(&forking);
    return argument;
}

static void* take_blocks(void* blocks) {
    pthread_barrier_wait(&both);
    for (int i = 0; i < UNNOTICED; i++) CHECK((((void**)blocks)[i] = t_malloc(UNNOTICED_SIZE)) != NULL, "no memory");
    pthread_barrier_wait(&both);
    return NULL;
}

static void start(pthread_t* thread, size_t stack, void* (*run)(void*), void* argument) {
    pthread_attr_t attr;
    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, stack) == 0, "stack of %zu bytes", stack);
    CHECK(pthread_create(thread, &attr, run, argument) == 0, "pthread_create");
    pthread_attr_destroy(&attr);
}

static void two_threads_get_different_blocks(void) {
    static void* blocks[2][UNNOTICED];
    pthread_t threads[2];
    for (int t = 0; t < 2; t++) CHECK(pthread_create(&threads[t], NULL, take_blocks, blocks[t]) == 0, "pthread_create");
    for (int t = 0; t < 2; t++) pthread_join(threads[t], NULL);
    for (int i = 0; i < UNNOTICED; i++)
        for (int j = 0; j < UNNOTICED; j++)
            CHECK(blocks[0][i] != blocks[1][j], "block %p went to two threads", blocks[0][i]);
}

// At the fork its stack belongs to another thread. Or it is gone, if it was large.
static void an_unnoticed_end(size_t stack, size_t of_next) {
    pthread_t ended, living;
    start(&ended, stack, end_unnoticed, NULL);
    pthread_join(ended, NULL);
    start(&living, of_next, wait_for_the_fork, NULL);
    pthread_barrier_wait(&forking);
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        alarm(CHILD_SECONDS);
        two_threads_get_different_blocks();
        test_check_heap();
        _exit(0);
    }
    wait_child(pid, "child after an unnoticed end, stack", stack);
    pthread_barrier_wait(&forking);
    pthread_join(living, NULL);
}

static void unnoticed_ends(void) {
    enum { USUAL = 1 << 20, NOT_KEPT = 64 << 20 };
    CHECK(pthread_key_create(&last_key, in_the_last_round) == 0, "pthread_key_create");
    pthread_barrier_init(&forking, NULL, 2);
    pthread_barrier_init(&both, NULL, 2);
    an_unnoticed_end(USUAL, USUAL);
    an_unnoticed_end(NOT_KEPT, USUAL);
}

int main(int argc, char** argv) {
    uint64_t count = test_argument(argc, argv, 1, 300);
    uint64_t seed = test_argument(argc, argv, 2, 0);
    if (seed == 0) seed = test_random_seed();
    test_start("fork", seed);
    unnoticed_ends();
    Random random = {seed};
    pthread_t threads[CHURNERS + 1];
    for (int i = 0; i < CHURNERS; i++)
        CHECK(pthread_create(&threads[i], NULL, churn, (void*)(uintptr_t)random_next(&random)) == 0, "pthread_create");
    CHECK(pthread_create(&threads[CHURNERS], NULL, breed, (void*)(uintptr_t)random_next(&random)) == 0,
          "pthread_create");
    for (uint64_t n = 0; n < count; n++) {
        for (int i = 0; i < 50; i++) drop(atomic_exchange(&slots[random_below(&random, SLOTS)], make(&random)));
        pid_t pid = fork();
        CHECK(pid >= 0, "fork %llu", (unsigned long long)n);
        if (pid == 0) child(random_next(&random), n % 4 == 0);
        wait_child(pid, "child", n);
        if (n % 10 == 0) spawn_and_vfork(n);
    }
    atomic_store(&stop, true);
    for (int i = 0; i <= CHURNERS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++) drop(atomic_exchange(&slots[i], NULL));
    test_check_heap();
    test_say("fork: ok, %llu forks", (unsigned long long)count);
    return 0;
}
