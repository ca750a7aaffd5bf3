// Little address space: the allocator uses nearly all of it, returns NULL with ENOMEM when it is used up, and works
// again after the blocks were freed.
//
//   oom [MIB]       limit of the address space; default 200
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

typedef struct Link {
    struct Link* next;
} Link;

static Link* allocate_until_refused(size_t size, size_t* total) {
    Link* list = NULL;
    *total = 0;
    for (;;) {
        errno = 0;
        Link* p = t_malloc(size);
        if (p == NULL) break;
        memset(p, 0x5a, size < 4096 ? size : 4096);
        p->next = list;
        list = p;
        *total += size;
    }
    CHECK(errno == ENOMEM, "malloc(%zu) gave NULL after %zu bytes", size, *total);
    return list;
}

static void free_list(Link* list) {
    while (list != NULL) {
        Link* next = list->next;
        t_free(list);
        list = next;
    }
}

// While memory is out, every entry point refuses cleanly and keeps what it was given.
static void refuse_everything(Link* list) {
    size_t size = 64 * MIB;
    errno = 0;
    void* p = t_calloc(1, size);
    CHECK(p == NULL && errno == ENOMEM, "calloc gave %p", p);
    errno = 0;
    p = t_realloc(list, size);
    CHECK(p == NULL && errno == ENOMEM, "realloc gave %p", p);
    errno = 0;
    p = t_aligned_alloc(4 * MIB, size);
    CHECK(p == NULL && errno == ENOMEM, "aligned_alloc gave %p", p);
    p = list;
    int error = t_posix_memalign(&p, 64, size);
    CHECK(error == ENOMEM && p == list, "posix_memalign gave %d, %p", error, p);
}

static void exhaust(size_t size, size_t expected) {
    for (int round = 0; round < 3; round++) {
        size_t total;
        Link* list = allocate_until_refused(size, &total);
        if (round == 0) test_say("%zu bytes a block: %zu MiB before NULL", size, total / MIB);
        CHECK(total >= expected, "round %d: blocks of %zu bytes: %zu KiB before NULL, expected %zu KiB", round, size,
              total >> 10, expected >> 10);
        refuse_everything(list);
        free_list(list);
        void* p = t_malloc(MIB);
        CHECK(p != NULL, "round %d: malloc(1 MiB) after all blocks of %zu bytes were freed", round, size);
        t_free(p);
    }
}

static void* allocate_in_thread(void* argument) {
    (void)argument;
    size_t total;
    free_list(allocate_until_refused(3000, &total));
    return NULL;
}

// Percentage of the limit. Runs of pages and of 2 MiB units do not divide evenly; other allocators have headers.
static size_t expected_percent(size_t size) {
    if (size > 256 << 10) return 60;
    if (!test_is_hakmem()) return size < 64 ? 45 : 70;
    return size > 8 << 10 ? 90 : size == 4096 ? 95 : 93;
}

static bool small_thread(pthread_t* thread, void* (*body)(void*)) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    bool made = pthread_create(thread, &attributes, body, NULL) == 0;
    pthread_attr_destroy(&attributes);
    return made;
}

static void set_limit(size_t limit) {
    struct rlimit rlimit = {limit, limit};
    CHECK(setrlimit(RLIMIT_AS, &rlimit) == 0, "setrlimit");
}

static void run(size_t limit, size_t size) {
    size_t before = mapped_bytes();
    set_limit(limit);
    exhaust(size, (limit - before) / 100 * expected_percent(size));
    // blocks of another size, and of another thread, find what the first ones left
    exhaust(size == 4096 ? 64 : 4096, limit / 2);
    pthread_t thread;
    if (small_thread(&thread, allocate_in_thread)) pthread_join(thread, NULL);
    test_check_heap();
}

// --- slabs that another thread has emptied, when memory is out

static Link* newest;
static size_t to_free;
static pthread_barrier_t turn;

static void* free_the_newest(void* unused) {
    pthread_barrier_wait(&turn);
    for (size_t i = 0; i < to_free; i++) {
        Link* next = newest->next;
        t_free(newest);
        newest = next;
    }
    t_trim(0);
    pthread_barrier_wait(&turn);
    return unused;
}

// When memory is out, another thread frees as many of the newest blocks as `count` says.
static void exhaust_and_let_free(size_t limit, size_t size, size_t (*count)(const Link* first)) {
    pthread_t thread;
    size_t total;
    set_limit(limit);
    pthread_barrier_init(&turn, NULL, 2);
    CHECK(small_thread(&thread, free_the_newest), "no thread");
    newest = allocate_until_refused(size, &total);
    to_free = count(newest);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    pthread_join(thread, NULL);
}

static size_t five_slabs(const Link* first) {
    (void)first;
    return 5 * 16;
}

static void emptied_slabs_serve_other_sizes(size_t limit, size_t size) {
    enum { OTHERS = 20 };
    exhaust_and_let_free(limit, size, five_slabs);
    for (int i = 0; i < OTHERS; i++)
        CHECK(t_malloc(2 * size) != NULL, "%zu blocks of %zu bytes were freed: no room for the %d. of %zu", to_free,
              size, i + 1, 2 * size);
    free_list(newest);
    test_check_heap();
}

static size_t all_of_the_newest_superslab(const Link* first) {
    size_t count = 0;
    for (const Link* p = first; p && ((uintptr_t)p ^ (uintptr_t)first) < 2 * MIB; p = p->next) count++;
    return count;
}

static void an_emptied_superslab_serves_huge_blocks(size_t limit, size_t size) {
    exhaust_and_let_free(limit, size, all_of_the_newest_superslab);
    void* p = t_malloc(3 * MIB / 2);
    CHECK(p != NULL, "%zu blocks of %zu bytes were freed, all of a SuperSlab: no room for one of 1.5 MiB", to_free,
          size);
    t_free(p);
    free_list(newest);
    test_check_heap();
}

static void in_child(void (*test)(size_t limit, size_t size), size_t limit, size_t size) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        alarm(60);
        test(limit, size);
        _exit(0);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "blocks of %zu bytes: wait status %#x", size,
          (unsigned)status);
}

int main(int argc, char** argv) {
    size_t limit = test_argument(argc, argv, 1, 200) * MIB;
    test_start("oom", 0);
    const size_t sizes[] = {4096, 16, 64, 1000, 20000, 100000, 700000, 3 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) in_child(run, limit, sizes[i]);
    in_child(emptied_slabs_serve_other_sizes, limit, 4096);
    in_child(an_emptied_superslab_serves_huge_blocks, limit, 4096);
    test_say("oom: ok");
    return 0;
}
