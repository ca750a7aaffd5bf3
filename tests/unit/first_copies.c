// Copies of the process by _Fork while one thread alone allocates, and holds a lock. The copy is made by a thread that
// has not allocated. It needs that lock for its first block.
//
// Each case runs in a process of its own, in which nothing has been allocated: the child of a fork.
#include "superslab/geometry.h"
#include "superslab/heap.h"

#include "unit.h"

#include <hakmem/hakmem.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 20, FAILED = 3, HUGE = 5 << 20 };

static pthread_barrier_t there;
static char* huge;

static int status_of(pid_t pid) {
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static bool copy_can_allocate(void) {
    pid_t pid = _Fork();
    if (pid == 0) {
        alarm(SECONDS / 2);
        void* block = hak_malloc(5000);
        hak_free(block);
        _exit(block == NULL || hak_check() != 0);
    }
    return status_of(pid) == 0;
}

static void* copy_when_it_is_held(void* result) {
    pthread_barrier_wait(&there);
    *(bool*)result = copy_can_allocate();
    pthread_barrier_wait(&there);
    return NULL;
}

static void hold_the_heap(void) {
    hak_lock(&heap_lock);
    pthread_barrier_wait(&there);
    pthread_barrier_wait(&there);
    hak_unlock(&heap_lock);
}

// --- the first thread allocates, another one copies

static void allocate(void) {
    hak_free(hak_malloc(3000));
}

static void free_huge(void) {
    hak_free(huge);
}

static void resize_huge(void) {
    huge = hak_realloc(huge, (size_t)HUGE * 2);
}

static void ask(void) {
    hak_stats_t stats = {0};
    hak_stats(&stats, sizeof stats);
}

static void ask_about_a_block(void) {
    char text[200];
    hak_describe(huge, text, sizeof text);
}

// `act` is what the thread does while there are two, before it holds the lock.
static void hold_after(void (*act)(void)) {
    bool fine = false;
    pthread_t maker;
    huge = hak_malloc(HUGE);
    if (pthread_create(&maker, NULL, copy_when_it_is_held, &fine) != 0) _exit(FAILED);
    act();
    hold_the_heap();
    pthread_join(maker, NULL);
    _exit(!fine);
}

// --- another thread allocates, the first one copies

static void* allocate_and_hold(void* unused) {
    allocate();
    hold_the_heap();
    return unused;
}

static void hold_in_another_thread(void (*unused)(void)) {
    bool fine = false;
    pthread_t holder;
    (void)unused;
    if (pthread_create(&holder, NULL, allocate_and_hold, NULL) != 0) _exit(FAILED);
    copy_when_it_is_held(&fine);
    pthread_join(holder, NULL);
    _exit(!fine);
}

static void expect_in_a_new_process(void (*body)(void (*act)(void)), void (*act)(void)) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(SECONDS);
        body(act);
    }
    assert_int_equal(status_of(pid), 0);
}

static void the_first_thread_allocates(void** state) {
    (void)state;
    expect_in_a_new_process(hold_after, allocate);
}

static void the_first_thread_has_a_huge_block(void** state) {
    (void)state;
    expect_in_a_new_process(hold_after, free_huge);
    expect_in_a_new_process(hold_after, resize_huge);
}

static void the_first_thread_asks(void** state) {
    (void)state;
    expect_in_a_new_process(hold_after, ask);
    expect_in_a_new_process(hold_after, ask_about_a_block);
}

static void another_thread_allocates(void** state) {
    (void)state;
    expect_in_a_new_process(hold_in_another_thread, NULL);
}

int main(void) {
    pthread_barrier_init(&there, NULL, 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_thread_allocates),
        cmocka_unit_test(the_first_thread_has_a_huge_block),
        cmocka_unit_test(the_first_thread_asks),
        cmocka_unit_test(another_thread_allocates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
