// The table of stacks: the same stack has one number, whoever notes it; another process can read the table after this
// one has ended; the child of a fork goes on with a table of its own.
#include "stack/stack_table.h"

#include "base/random.h"
#include "config/options.h"
#include "stack/unwind.h"
#include "unit.h"

#include <fcntl.h>
#include <hakmem/hakmem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/stack-table-XXXXXX";

static int start(void** state) {
    char name[64];
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(name, sizeof name, "%s/%%p", folder);
    return hak_option_set("HAKMEM_STACK_FILE", name);
}

static int end(void** state) {
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

// A stack that no other `which` has.
static uint32_t make_stack(uint64_t which, uintptr_t* out) {
    uint64_t random = which;
    uint32_t count = 1 + (uint32_t)(which % STACK_DEPTH_MAX);
    for (uint32_t i = 0; i < count; i++) out[i] = random_of(&random);
    out[0] = which;
    return count;
}

static StackNumber store(uint64_t which) {
    uintptr_t stack[STACK_DEPTH_MAX];
    return stack_store(stack, make_stack(which, stack));
}

static void expect(StackNumber number, uint64_t which) {
    uintptr_t wanted[STACK_DEPTH_MAX], found[STACK_DEPTH_MAX];
    uint32_t count = make_stack(which, wanted);
    assert_int_equal(stack_read(number, found, STACK_DEPTH_MAX), count);
    assert_memory_equal(found, wanted, count * sizeof *found);
}

// --- in this process

static void nothing_is_mapped_before_the_first_stack(void** state) {
    (void)state;
    char path[64];
    uintptr_t none[1];
    snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
    assert_null(load_relaxed(&hak_stack_table));
    assert_int_equal(stack_read(1, none, 1), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_not_equal(store(0), 0);
    assert_int_equal(access(path, F_OK), 0);
}

enum { DISTINCT = 20000 };
static StackNumber numbers[DISTINCT];

static void each_stack_has_one_number(void** state) {
    (void)state;
    store(0);
    uint64_t before = load_relaxed(&load_relaxed(&hak_stack_table)->stacks);
    for (uint64_t i = 0; i < DISTINCT; i++) numbers[i] = store(1000 + i);
    for (uint64_t i = 0; i < DISTINCT; i++) {
        expect(numbers[i], 1000 + i);
        assert_int_equal(store(1000 + i), numbers[i]);
    }
    assert_int_equal(load_relaxed(&load_relaxed(&hak_stack_table)->stacks), before + DISTINCT);
    uintptr_t first[2];
    assert_int_equal(stack_read(numbers[2], first, 2), 2);
    assert_int_equal(stack_store(first, 0), 0);
    assert_int_equal(stack_store(first, STACK_DEPTH_MAX + 1), 0);
}

static __attribute__((noinline)) StackNumber note_here(void) {
    StackNumber number = stack_note(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0));
    __asm__ volatile("" : "+r"(number));
    return number;
}

static void a_stack_is_noted_to_its_depth(void** state) {
    (void)state;
    uintptr_t found[STACK_DEPTH_MAX], here = (uintptr_t)a_stack_is_noted_to_its_depth;
    StackNumber first = 0;
    for (volatile int i = 0; i < 2; i++) {
        StackNumber number = note_here();
        uint32_t count = stack_read(number, found, STACK_DEPTH_MAX);
        assert_in_range(count, 3, 24);
        assert_in_range(found[0], here, here + 500);
        if (i > 0) assert_int_equal(number, first);
        first = number;
    }
    store_relaxed(&hak_options.stack_depth, 2);
    assert_int_equal(stack_read(note_here(), found, STACK_DEPTH_MAX), 2);
    store_relaxed(&hak_options.stack_depth, 24);
}

// Functions that call each other as the bits say, with frames of many sizes. Those with an array of unknown length have
// a frame pointer. The values that others keep in its register differ each time.
typedef struct {
    uint64_t bits, noise;
    unsigned left;
} Way;
static uint64_t go(Way way);

static __attribute__((noinline)) uint64_t note_twice(Way way) {
    const void* frame = __builtin_frame_address(0);
    uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    StackNumber walked = stack_note(frame, pc), again = stack_note_again(frame, pc);
    assert_int_equal(walked, again);
    return walked + way.noise;
}

static __attribute__((noinline)) uint64_t by_plain_frame(Way way) {
    volatile char room[32] = {0};
    return go(way) + (uint64_t)room[way.bits % 32];
}

static __attribute__((noinline)) uint64_t by_large_frame(Way way) {
    volatile char room[416] = {0};
    return 3 * go(way) + (uint64_t)room[way.bits % 400];
}

static __attribute__((noinline)) uint64_t by_unknown_frame(Way way) {
    volatile char room[16 + way.bits % 5 * 48];
    room[way.bits % 16] = 1;
    return go(way) * 5 + (uint64_t)room[way.bits % 16];
}

static __attribute__((noinline)) uint64_t go(Way way) {
    if (way.left-- == 0) return note_twice(way) + 1;
    unsigned next = way.bits % 4;
    way.bits /= 4;
    uint64_t noise = way.noise * way.bits;
    uint64_t sum = next == 0 ? by_plain_frame(way) : next == 1 ? by_large_frame(way) : by_unknown_frame(way);
    return sum ^ noise;
}

static void a_stack_that_is_remembered_has_its_number(void** state) {
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 20000; i++) {
        Way way = {.bits = random_of(&random) % 4096, .noise = random_of(&random), .left = (unsigned)i % 7};
        for (int times = 0; times < 4; times++) go(way);
    }
}

// --- threads

enum { THREADS = 4, SHARED = 5000 };
static StackNumber of_thread[THREADS][SHARED];
static pthread_barrier_t together;

static void* store_all(void* own) {
    StackNumber* mine = own;
    pthread_barrier_wait(&together);
    for (uint64_t i = 0; i < SHARED; i++) mine[i] = store(1000000 + i);
    return NULL;
}

static void threads_get_the_same_numbers(void** state) {
    (void)state;
    pthread_t threads[THREADS];
    uint64_t before = load_relaxed(&load_relaxed(&hak_stack_table)->stacks);
    pthread_barrier_init(&together, NULL, THREADS);
    for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_create(&threads[t], NULL, store_all, of_thread[t]), 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    for (uint64_t i = 0; i < SHARED; i++) {
        expect(of_thread[0][i], 1000000 + i);
        for (int t = 1; t < THREADS; t++) assert_int_equal(of_thread[t][i], of_thread[0][i]);
    }
    assert_int_equal(load_relaxed(&load_relaxed(&hak_stack_table)->stacks), before + SHARED);
}

// --- other processes

// As stack_table.h draws it, with only the file.
static void expect_in_file(pid_t pid, StackNumber number, uint64_t which) {
    char path[64];
    uintptr_t wanted[STACK_DEPTH_MAX];
    uint64_t head[1 + STACK_DEPTH_MAX];
    HakStackTable table;
    snprintf(path, sizeof path, "%s/%d", folder, (int)pid);
    int file = open(path, O_RDONLY);
    assert_int_equal(pread(file, &table, sizeof table, 0), sizeof table);
    assert_true(load_relaxed(&table.magic) == HAK_STACK_MAGIC && table.version == HAK_STACK_VERSION);
    assert_int_equal(table.pid, pid);
    assert_true(number < load_relaxed(&table.used));
    uint32_t count = make_stack(which, wanted);
    off_t at = (off_t)sizeof table + table.places * 4L + number * 8L;
    assert_int_equal(pread(file, head, (count + 1) * 8, at), (count + 1) * 8);
    assert_int_equal((uint32_t)head[0], count);
    assert_memory_equal(head + 1, wanted, count * 8);
    close(file);
}

// The child's exit status, or a number of failure.
static int in_child(int (*work)(int), int to_parent, pid_t* pid) {
    int status;
    fflush(NULL);
    *pid = fork();
    assert_true(*pid >= 0);
    if (*pid == 0) {
        int result = work(to_parent);
        _exit(result);
    }
    assert_int_equal(waitpid(*pid, &status, 0), *pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) + 1000;
}

static int note_and_die(int to_parent) {
    StackNumber number = store(77);
    if (write(to_parent, &number, sizeof number) != sizeof number) return 1;
    abort();
}

static void the_file_outlives_the_process(void** state) {
    (void)state;
    int ends[2];
    pid_t pid;
    StackNumber number;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(in_child(note_and_die, ends[1], &pid), 1000 + SIGABRT);
    assert_int_equal(read(ends[0], &number, sizeof number), sizeof number);
    expect_in_file(pid, number, 77);
    close(ends[0]);
    close(ends[1]);
}

// Numbers from before the fork keep their meaning; a new stack is no stack of the parent's.
static int go_on_in_child(int unused) {
    (void)unused;
    uintptr_t read[STACK_DEPTH_MAX], wanted[STACK_DEPTH_MAX];
    HakStackTable* table = load_relaxed(&hak_stack_table);
    uint64_t before = load_relaxed(&table->stacks);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < DISTINCT; i++) {
            uint32_t count = make_stack(1000 + i, wanted);
            if (stack_read(numbers[i], read, STACK_DEPTH_MAX) != count) return 1;
            if (memcmp(read, wanted, count * sizeof *read) != 0) return 2;
            if (round > 0 && store(1000 + i) != numbers[i]) return 3;
        }
        for (uint64_t i = 0; i < 100; i++)
            if (store(2000000 + i) == 0) return 4;
    }
    if (load_relaxed(&table->stacks) != before + 100) return 5;
    return table->pid == (uint32_t)getpid() ? 0 : 6;
}

static void a_child_goes_on_with_a_table_of_its_own(void** state) {
    (void)state;
    pid_t pid;
    HakStackTable* table = load_relaxed(&hak_stack_table);
    uint64_t used = load_relaxed(&table->used), stacks = load_relaxed(&table->stacks);
    assert_int_equal(in_child(go_on_in_child, -1, &pid), 0);
    assert_int_equal(load_relaxed(&table->used), used);
    assert_int_equal(load_relaxed(&table->stacks), stacks);
    assert_int_equal(table->pid, getpid());
    expect_in_file(pid, numbers[5], 1005);
    expect_in_file(getpid(), numbers[5], 1005);
}

// A table with room for few stacks more: a file system that is full, or a process that notes very many.
static int fill_in_child(int unused) {
    (void)unused;
    store(3000000);  // the child's own table
    HakStackTable* table = load_relaxed(&hak_stack_table);
    StackNumber known = store(1000);
    store_relaxed(&table->used, (uint64_t)HAK_STACK_WORDS - 150);
    unsigned stored = 0;
    for (uint64_t i = 0; i < 1000; i++) stored += store(4000000 + i) != 0;
    if (stored == 0 || stored > 75 || load_relaxed(&table->lost) != 1000 - stored) return 1;
    if (load_relaxed(&table->used) > HAK_STACK_WORDS) return 2;
    return store(1000) == known && known == numbers[0] ? 0 : 3;
}

static void a_full_table_loses_new_stacks_only(void** state) {
    (void)state;
    pid_t pid;
    assert_int_equal(in_child(fill_in_child, -1, &pid), 0);
}

//     stack_table          the table is in a file
//     stack_table private
int main(int argc, char** argv) {
    (void)argv;
    const struct CMUnitTest private_tests[] = {
        cmocka_unit_test(each_stack_has_one_number),
        cmocka_unit_test(threads_get_the_same_numbers),
        cmocka_unit_test(a_full_table_loses_new_stacks_only),
    };
    if (argc > 1) return cmocka_run_group_tests(private_tests, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_mapped_before_the_first_stack),
        cmocka_unit_test(each_stack_has_one_number),
        cmocka_unit_test(a_stack_is_noted_to_its_depth),
        cmocka_unit_test(a_stack_that_is_remembered_has_its_number),
        cmocka_unit_test(threads_get_the_same_numbers),
        cmocka_unit_test(the_file_outlives_the_process),
        cmocka_unit_test(a_child_goes_on_with_a_table_of_its_own),
        cmocka_unit_test(a_full_table_loses_new_stacks_only),
    };
    return cmocka_run_group_tests(tests, start, end);
}
