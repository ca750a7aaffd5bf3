// Programs that wait, for test_waits.py: waits WAY [ARGUMENT]
//   deadlock          two threads, each of which holds the mutex that the other wants; every signal is ignored
//   idle THREADS      threads that pause
//   idle-crash N      the same, and then it follows a null pointer
//   births            threads begin and end all the time; SIGQUIT is fatal, as usual
//   spin              an endless loop
//   keep              prints the addresses of a block in use, a freed one and a huge one, and waits
//   child WAY         the same in a child of the process
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static pthread_t thread(void* (*run)(void*), void* argument) {
    pthread_t made;
    if (pthread_create(&made, NULL, run, argument) != 0) exit(3);
    return made;
}

static void ready(void) {
    puts("ready");
    fflush(stdout);
}

static void ignore_signals(void) {
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
}

static void* take_first_then_second(void* argument) {
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&second);
    return argument;
}

static void* take_second_then_first(void* argument) {
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);
    return argument;
}

static void deadlock(void) {
    pthread_barrier_init(&both, NULL, 2);
    pthread_t one = thread(take_first_then_second, NULL), two = thread(take_second_then_first, NULL);
    ready();
    pthread_join(one, NULL);
    pthread_join(two, NULL);
}

static atomic_int idlers;

static void* idle(void* argument) {
    free(malloc(100));
    atomic_fetch_add(&idlers, 1);
    for (;;) pause();
    return argument;
}

static void* briefly(void* argument) {
    free(malloc(100));
    return argument;
}

static void births(void) {
    for (long i = 0;; i++) {
        pthread_t made[4];
        for (int j = 0; j < 4; j++) made[j] = thread(briefly, NULL);
        for (int j = 0; j < 4; j++) pthread_join(made[j], NULL);
        if (i == 10) ready();
    }
}

static int run(int count, char** words) {
    const char* way = count > 1 ? words[1] : "";
    if (strcmp(way, "deadlock") == 0) {
        ignore_signals();
        deadlock();
    } else if (strcmp(way, "idle") == 0 && count > 2) {
        for (int i = atoi(words[2]); i > 1; i--) thread(idle, NULL);
        ready();
        idle(NULL);
    } else if (strcmp(way, "idle-crash") == 0 && count > 2) {
        for (int i = atoi(words[2]); i > 0; i--) thread(idle, NULL);
        while (atomic_load(&idlers) < atoi(words[2])) sched_yield();
        usleep(100000);  // until they pause; if one does not yet, it is in idle all the same
        volatile int* volatile nothing = NULL;
        *nothing = 1;
    } else if (strcmp(way, "births") == 0) {
        births();
    } else if (strcmp(way, "spin") == 0) {
        ready();
        for (volatile long i = 0;; i++) {}
    } else if (strcmp(way, "keep") == 0) {
        char *live = malloc(200), *freed = malloc(200), *far = malloc(5 << 20);
        for (int i = 0; i < 100; i++) free(malloc(200));
        free(freed);
        printf("%p %p %p\n", (void*)live, (void*)freed, (void*)far);
        fflush(stdout);
        return getchar() == EOF ? 0 : 3;
    } else if (strcmp(way, "child") == 0) {
        pid_t child = fork();
        if (child == 0) return run(count - 1, words + 1);
        int status;
        return waitpid(child, &status, 0) == child ? 7 : 3;
    }
    return 3;
}

int main(int count, char** words) {
    return run(count, words);
}
