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
// What the thread that holds the lock has half changed meanwhile, and makes whole again; NULL: nothing.
static void (*half_change)(bool back);

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
    if (half_change) half_change(false);
    pthread_barrier_wait(&there);
    pthread_barrier_wait(&there);
    if (half_change) half_change(true);
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

// What a signal handler has that interrupts a malloc: the reserve.
static void allocate_in_an_operation(void) {
    HakTcb* me = operation_begin();
    void* block = hak_malloc(SIZE);
    hak_free(block);
    operation_end(me);
    if (block == NULL) _exit(6);
}

enum { MAKERS = 3, MADE = 400 };
static pthread_barrier_t all_made;

static void* make_and_drop(void* number) {
    size_t size = 64;
    unsigned char* made[MADE];
    for (int i = 0; i < MADE; i++) memset(made[i] = hak_malloc(size), (int)(uintptr_t)number, size);
    pthread_barrier_wait(&all_made);
    for (int i = 0; i < MADE; i++) {
        if (made[i][0] != (unsigned char)(uintptr_t)number || made[i][size - 1] != made[i][0]) _exit(7);
        hak_free(made[i]);
    }
    return NULL;
}

// Each has a control block of its own, or they overwrite each other's blocks.
static void start_threads(void) {
    pthread_t threads[MAKERS];
    pthread_barrier_init(&all_made, NULL, MAKERS);
    for (uintptr_t i = 0; i < MAKERS; i++)
        if (pthread_create(&threads[i], NULL, make_and_drop, (void*)(i + 1)) != 0) _exit(8);
    for (int i = 0; i < MAKERS; i++) pthread_join(threads[i], NULL);
}

static void fork_again(void) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) _exit(hak_check() != 0);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) _exit(9);
}

static void in_the_copy(void) {
    alarm(SECONDS);
    allocate_in_an_operation();
    drop_all();
    churn();
    fork_again();
    start_threads();
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

// The list of free units has no end.
static void half_change_units(bool back) {
    enum { UNITS_MOST = 4096 };
    static Unit saved[UNITS_MOST];
    UnitNumber mapped = hak_heap.mapped < UNITS_MOST ? hak_heap.mapped : UNITS_MOST, changed = 0;
    memcpy(back ? hak_heap.unit : saved, back ? saved : hak_heap.unit, mapped * sizeof *saved);
    for (UnitNumber u = 1; u < mapped && !back; u++) {
        if (hak_heap.unit[u].kind != UNIT_FREE) continue;
        hak_heap.unit[u].next = hak_heap.unit[u].length = u;
        changed++;
    }
    assert_true(back || changed > 0);
}

static void another_thread_changes_the_heap(void** state) {
    (void)state;
    hak_free(hak_malloc((size_t)5 << 20));
    half_change = half_change_units;
    copy_while_held(&heap_lock);
    half_change = NULL;
}

// Each control block in the pool is the next one's.
static void half_change_pool(bool back) {
    enum { MOST = 64 };
    static HakTcb* next[MOST];
    unsigned count = 0, changed = 0;
    for (HakTcb* tcb = tcb_all(); tcb && count < MOST; tcb = tcb->next_all, count++) {
        if (!back) next[count] = tcb->next_pooled;
        if (!tcb->pooled) continue;
        tcb->next_pooled = back ? next[count] : tcb;
        changed++;
    }
    assert_true(changed > 0);
}

static void* live_briefly(void* unused) {
    hak_free(hak_malloc(100));
    pthread_barrier_wait(&there);
    return unused;
}

static void another_thread_changes_the_pool(void** state) {
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, live_briefly, NULL), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    half_change = half_change_pool;
    tcb_locks(copy_step, 0);
    half_change = NULL;
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
        // Whoever gives a slab up has taken it out of its lists before.
        for (int i = 0; i < BLOCKS / 10; i++) hak_heap.meta[slab_number_of(own[i])].where = PLACE_NONE;
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
        cmocka_unit_test(another_thread_changes_the_heap),
        cmocka_unit_test(another_thread_holds_the_pool_or_the_reserve),
        cmocka_unit_test(another_thread_changes_the_pool),
        cmocka_unit_test(another_thread_holds_the_registry_of_a_class),
        cmocka_unit_test(another_thread_changes_the_registry_of_a_class),
        cmocka_unit_test(another_thread_holds_the_gate_or_forks),
        cmocka_unit_test(another_thread_gives_up_a_slab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
