// Copies of the process by _Fork, made while another thread holds a lock that the copy needs, or is in the middle of
// giving up a slab. The copy goes on, and its heap is whole.
#include "refill/stages.h"
#include "slab/ownership.h"
#include "superslab/size_class.h"
#include "superslab/heap.h"
#include "thread/operation.h"

#include "unit.h"

#include <hakmem/hakmem.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 3000, SIZE = 1000, SECONDS = 20 };

static char* blocks[BLOCKS];
static pthread_barrier_t there;
static HakLock* to_hold;

static void* leave_slabs_behind(void* argument) {
    for (int i = 0; i < BLOCKS; i++) {
        assert_non_null(blocks[i] = hak_malloc(SIZE));
        blocks[i][0] = blocks[i][SIZE - 1] = (char)i;
    }
    for (int i = 0; i < BLOCKS; i += 4) {
        hak_free(blocks[i]);
        blocks[i] = NULL;
    }
    return argument;
}

static void* hold_the_lock(void* argument) {
    hak_free(hak_malloc(3000));
    hak_lock(to_hold);
    pthread_barrier_wait(&there);
    pthread_barrier_wait(&there);
    hak_unlock(to_hold);
    return argument;
}

static void drop(int i) {
    if (blocks[i] == NULL) return;
    if (blocks[i][0] != (char)i || blocks[i][SIZE - 1] != (char)i) _exit(3);
    hak_free(blocks[i]);
    blocks[i] = NULL;
}

// Starts with the slabs at the heads of the registry: a claim unlists them.
static void drop_all(void) {
    for (int i = 0; i < BLOCKS; i++) {
        const TinySlabMeta* meta = blocks[i] ? &hak_heap.meta[slab_number_of(blocks[i])] : NULL;
        if (meta && meta->in_registry && meta->prev == 0) drop(i);
    }
    for (int i = 0; i < BLOCKS; i++) drop(i);
}

static void churn(void) {
    enum { SLOTS = 2000, STEPS = 60000 };
    static int* slots[SLOTS];
    uint32_t random = 1;
    for (int step = 0; step < STEPS; step++) {
        random = random * 1103515245 + 12345;
        int slot = (int)((random >> 8) % SLOTS);
        if (slots[slot]) {
            if (*slots[slot] != slot) _exit(4);
            hak_free(slots[slot]);
            slots[slot] = NULL;
        } else if ((slots[slot] = hak_malloc(16 + (random >> 20))) != NULL) {
            *slots[slot] = slot;
        } else {
            _exit(5);
        }
    }
}

static void in_the_copy(void) {
    alarm(SECONDS);
    drop_all();
    churn();
    hak_trim(0);
    _exit(hak_check() != 0);
}

static void expect_a_whole_copy(void) {
    pid_t pid = _Fork();
    assert_true(pid >= 0);
    if (pid == 0) in_the_copy();
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void copy_while_held(HakLock* lock) {
    pthread_t thread;
    to_hold = lock;
    assert_int_equal(pthread_create(&thread, NULL, hold_the_lock, NULL), 0);
    pthread_barrier_wait(&there);
    expect_a_whole_copy();
    pthread_barrier_wait(&there);
    pthread_join(thread, NULL);
}

static void copy_step(HakLock* lock, unsigned unused) {
    (void)unused;
    copy_while_held(lock);
}

static HakLock* class_locks[CLASS_COUNT];

static void note_class_lock(HakLock* lock, unsigned unused) {
    static unsigned count;
    (void)unused;
    class_locks[count++] = lock;
}

static void another_thread_holds_the_heap(void** state) {
    (void)state;
    copy_while_held(&heap_lock);
}

static void another_thread_holds_the_pool_or_the_reserve(void** state) {
    (void)state;
    tcb_locks(copy_step, 0);
    copy_while_held(tcb_reserve_guard());
}

static void another_thread_holds_the_registry_of_a_class(void** state) {
    (void)state;
    copy_while_held(class_locks[class_of_size(SIZE)]);
    copy_while_held(class_locks[0]);
}

static TinySlabMeta* head_of_the_registry(void) {
    for (int i = 0; i < BLOCKS; i++) {
        TinySlabMeta* meta = blocks[i] ? &hak_heap.meta[slab_number_of(blocks[i])] : NULL;
        if (meta && meta->in_registry && meta->prev == 0) return meta;
    }
    return NULL;
}

// The links are half changed: following them never ends.
static void another_thread_changes_the_registry_of_a_class(void** state) {
    (void)state;
    TinySlabMeta* head = head_of_the_registry();
    assert_non_null(head);
    SlabNumber next = head->next;
    head->next = (SlabNumber)(head - hak_heap.meta);
    copy_while_held(class_locks[class_of_size(SIZE)]);
    head->next = next;
}

static void another_thread_holds_the_gate_or_forks(void** state) {
    (void)state;
    mmap_gate_locks(copy_step, 0);
    copy_while_held(&fork_lock);
}

// Stops between the remote word and the owner word.
static void* give_up_half(void* argument) {
    char** own = argument;
    for (int i = 0; i < BLOCKS / 10; i++) assert_non_null(own[i] = hak_malloc(SIZE));
    HakTcb* me = operation_begin();
    for (int i = 0; i < BLOCKS / 10; i++)
        store_relaxed(remote_word((SlabNumber)slab_number_of(own[i])), REMOTE_UNOWNED);
    pthread_barrier_wait(&there);
    pthread_barrier_wait(&there);
    for (int i = 0; i < BLOCKS / 10; i++) store_relaxed(remote_word((SlabNumber)slab_number_of(own[i])), REMOTE_EMPTY);
    operation_end(me);
    return NULL;
}

static void another_thread_gives_up_a_slab(void** state) {
    (void)state;
    static char* own[BLOCKS / 10];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_up_half, own), 0);
    pthread_barrier_wait(&there);
    pid_t pid = _Fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(SECONDS);
        for (int i = 0; i < BLOCKS / 10; i++) hak_free(own[i]);
        in_the_copy();
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    pthread_barrier_wait(&there);
    pthread_join(thread, NULL);
}

int main(void) {
    pthread_t thread;
    pthread_barrier_init(&there, NULL, 2);
    hak_free(hak_malloc(5000));
    if (pthread_create(&thread, NULL, leave_slabs_behind, NULL) != 0) return 1;
    pthread_join(thread, NULL);
    registry_locks(note_class_lock, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_thread_holds_the_heap),
        cmocka_unit_test(another_thread_holds_the_pool_or_the_reserve),
        cmocka_unit_test(another_thread_holds_the_registry_of_a_class),
        cmocka_unit_test(another_thread_changes_the_registry_of_a_class),
        cmocka_unit_test(another_thread_holds_the_gate_or_forks),
        cmocka_unit_test(another_thread_gives_up_a_slab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
