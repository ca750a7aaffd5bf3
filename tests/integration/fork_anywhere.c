// Forks in the handler of a repeated signal, wherever the program is: in malloc, free, another fork, a thread's
// beginning or end. POSIX lists fork among what a handler may call. The child returns from the handler, goes on with
// the heap, and checks it.
//
//   fork_anywhere alone [COUNT]     one thread
//   fork_anywhere nested [COUNT]    two signals, each of which may interrupt the other's handler and its own
//   fork_anywhere births [COUNT]    threads begin and end all the time; signals are blocked where the C library locks
//   fork_anywhere churning [COUNT]  the same beside threads that allocate
//   fork_anywhere crossing [COUNT]  several threads are interrupted at the same moment: each forks, and holds locks
//                                   that the others want
//   fork_anywhere copied [COUNT]    with _Fork() beside threads that allocate: no handler of a library prepares for it
//   fork_anywhere bare [COUNT]      with _Fork(), after which the child may do little: it writes and ends
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 256, CHURNERS = 2, DEPTH_MOST = 3, SECONDS = 30, GOES_ON = 300 };

static unsigned char* slots[SLOTS];
static volatile sig_atomic_t depth, is_child, goes_on;
static _Atomic long forks;
static bool bare, copied, crossing, nested;
static _Atomic bool over;
static int report[2];

// Each timer fires once and is then set again: a fork may take longer than any period, and the program must get on.
static timer_t timers[2];

static void arm(int number) {
    static const long microseconds[] = {700, 150, 430, 90, 1100, 290, 50};
    static volatile sig_atomic_t shots;
    long wait = microseconds[(unsigned)shots++ % 7] * 1000;
    struct itimerspec once = {.it_value.tv_nsec = wait};
    int result = timer_settime(timers[number == SIGUSR2], 0, &once, NULL);
    CHECK(result == 0 || is_child, "timer_settime");  // a child has no timer
}

// --- the handler

static void expect_child_ended(pid_t child) {
    int status;
    pid_t ended;
    while ((ended = waitpid(child, &status, 0)) < 0 && errno == EINTR) {}
    if (ended < 0 && errno == ECHILD && is_child) return;  // that was a child of its parent, interrupted there
    CHECK(ended == child && status == 0, "child %d of %ld: wait status %#x%s", (int)child, (long)forks, status,
          WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hung" : "");
}

static void fork_and_return(void) {
    pid_t child = copied ? _Fork() : fork();
    CHECK(child >= 0, "fork");
    if (child > 0) {
        expect_child_ended(child);
        return;
    }
    is_child = 1;
    goes_on = GOES_ON;
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    alarm(SECONDS / 2);
}

static void fork_bare(void) {
    pid_t child = _Fork();
    CHECK(child >= 0, "_Fork");
    if (child == 0) {
        char letter = 'c';
        _exit(write(report[1], &letter, 1) != 1);
    }
    expect_child_ended(child);
    char letter = 0;
    CHECK(read(report[0], &letter, 1) == 1 && letter == 'c', "the child wrote %d", letter);
}

static void on_signal(int number) {
    if (is_child || over) return;
    int saved_errno = errno;
    if (nested && depth < DEPTH_MOST) arm(number);  // comes in the middle of what follows
    depth++;
    if (bare)
        fork_bare();
    else
        fork_and_return();
    depth--;
    forks++;
    if (!is_child && !crossing && depth == 0) {
        arm(SIGUSR1);
        if (nested) arm(SIGUSR2);
    }
    errno = saved_errno;
}

static void make_timer(int number, int flags) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags | SA_RESTART};
    CHECK(sigaction(number, &action, NULL) == 0, "sigaction");
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timers[number == SIGUSR2]) == 0, "timer_create");
}

static void hold_signals(int how) {
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    pthread_sigmask(how, &both, NULL);
}

// --- what it interrupts

static void drop(unsigned char** slot) {
    unsigned char* p = *slot;
    *slot = NULL;
    if (p == NULL) return;
    uint32_t size;
    memcpy(&size, p, sizeof size);
    CHECK(p[size - 1] == (unsigned char)(size * 3), "block %p of %u bytes is damaged", (void*)p, size);
    t_free(p);
}

static void note(unsigned char** slot, unsigned char* p, uint32_t size) {
    CHECK(p != NULL, "no memory for %u bytes", size);
    p[size - 1] = (unsigned char)(size * 3);
    memcpy(p, &size, sizeof size);
    *slot = p;
}

static uint32_t any_size(Random* random) {
    uint64_t kind = random_below(random, 100);
    return (uint32_t)(8 + random_below(random, kind < 80 ? 600 : kind < 97 ? 30000 : 2500000));
}

static void replace(unsigned char** slot, Random* random) {
    uint32_t size = any_size(random);
    unsigned char* old = *slot;
    switch (random_below(random, 4)) {
    case 0:
        drop(slot);
        note(slot, t_calloc(1, size), size);
        break;
    case 1:
        drop(slot);
        note(slot, t_aligned_alloc(256, (size + 255) & ~255u), size);
        break;
    case 2:
        *slot = NULL;
        note(slot, t_realloc(old, size), size);
        break;
    default: drop(slot); note(slot, t_malloc(size), size);
    }
}

// Begins with both signals blocked, as its maker has them. A child that its own handler made would never end.
static void* churn_until_over(void* seed) {
    Random random = {(uint64_t)(uintptr_t)seed};
    unsigned char* own[64] = {0};
    while (!atomic_load(&over)) replace(&own[random_below(&random, 64)], &random);
    for (int i = 0; i < 64; i++) drop(&own[i]);
    return NULL;
}

static void end_child_with(unsigned char** own, int count) {
    for (int i = 0; i < count; i++) drop(&own[i]);
    test_check_heap();
    _exit(0);
}

// Of these threads the child has only the one that forked.
static void* churn_and_fork(void* seed) {
    Random random = {(uint64_t)(uintptr_t)seed};
    unsigned char* own[64] = {0};
    hold_signals(SIG_UNBLOCK);
    while (!atomic_load(&over)) {
        replace(&own[random_below(&random, 64)], &random);
        if (is_child && --goes_on <= 0) end_child_with(own, 64);
    }
    hold_signals(SIG_BLOCK);
    if (is_child) end_child_with(own, 64);
    for (int i = 0; i < 64; i++) drop(&own[i]);
    return NULL;
}

static void cross(uint64_t count, Random* random) {
    enum { CROSSING = 3 };
    pthread_t threads[CROSSING];
    hold_signals(SIG_BLOCK);
    for (int i = 0; i < CROSSING; i++)
        CHECK(pthread_create(&threads[i], NULL, churn_and_fork, (void*)(uintptr_t)random_next(random)) == 0,
              "pthread_create");
    for (uint64_t round = 0; (uint64_t)forks < count; round++) {
        for (int i = 0; i < CROSSING; i++) pthread_kill(threads[i], SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 1000000 + (long)(round % 7) * 370000}, NULL);
    }
    atomic_store(&over, true);
    for (int i = 0; i < CROSSING; i++) pthread_join(threads[i], NULL);
}

// Begins with both signals blocked, as its maker has them.
static void* live_briefly(void* seed) {
    Random random = {(uint64_t)(uintptr_t)seed};
    unsigned char* own[16] = {0};
    hold_signals(SIG_UNBLOCK);
    for (int i = 0; i < 60; i++) replace(&own[random_below(&random, 16)], &random);
    for (int i = 0; i < 16; i++) drop(&own[i]);
    hold_signals(SIG_BLOCK);
    if (is_child) {
        test_check_heap();
        _exit(0);
    }
    return NULL;
}

static void end_child(void) {
    end_child_with(slots, SLOTS);
}

static void fork_of_its_own(void) {
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        is_child = 1;
        end_child();
    }
    expect_child_ended(child);
}

static void bear_one(Random* random) {
    pthread_t thread;
    hold_signals(SIG_BLOCK);
    CHECK(pthread_create(&thread, NULL, live_briefly, (void*)(uintptr_t)random_next(random)) == 0, "pthread_create");
    pthread_join(thread, NULL);
    hold_signals(SIG_UNBLOCK);
}

// A child made by a thread's handler has only that thread, which ends it.
static void step(Random* random, unsigned i, bool births, bool forks_held) {
    replace(&slots[random_below(random, SLOTS)], random);
    if (i % 97 == 0) t_trim(0);
    if (i % 1009 == 0) {
        if (forks_held) hold_signals(SIG_BLOCK);
        fork_of_its_own();
        if (forks_held) hold_signals(SIG_UNBLOCK);
    }
    if (births && i % 53 == 0 && !is_child) bear_one(random);
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    uint64_t count = test_argument(argc, argv, 2, 200), seed = test_argument(argc, argv, 3, test_random_seed());
    bool births = strcmp(mode, "births") == 0, churning = strcmp(mode, "churning") == 0;
    bare = strcmp(mode, "bare") == 0;
    copied = strcmp(mode, "copied") == 0;
    crossing = strcmp(mode, "crossing") == 0;
    nested = strcmp(mode, "nested") == 0;
    test_start("fork_anywhere", seed);
    CHECK(pipe(report) == 0, "pipe");
    alarm(SECONDS);
    Random random = {seed};
    pthread_t churners[CHURNERS];
    int others = churning || copied || bare ? CHURNERS : 0;
    hold_signals(SIG_BLOCK);
    for (int i = 0; i < others; i++)
        CHECK(pthread_create(&churners[i], NULL, churn_until_over, (void*)(uintptr_t)random_next(&random)) == 0,
              "pthread_create");
    make_timer(SIGUSR1, nested ? SA_NODEFER : 0);
    make_timer(SIGUSR2, SA_NODEFER);
    if (crossing) cross(count, &random);
    hold_signals(SIG_UNBLOCK);
    if (!crossing) arm(SIGUSR1);
    if (nested) arm(SIGUSR2);
    for (unsigned i = 0; (uint64_t)forks < count; i++) {
        step(&random, i, births || churning, births || churning || copied || bare);
        if (is_child && --goes_on <= 0) end_child();
    }
    hold_signals(SIG_BLOCK);
    if (is_child) end_child();
    atomic_store(&over, true);
    for (int i = 0; i < others; i++) pthread_join(churners[i], NULL);
    for (int i = 0; i < SLOTS; i++) drop(&slots[i]);
    test_check_heap();
    test_say("fork_anywhere %s: ok, %ld forks", mode, (long)forks);
    return 0;
}
