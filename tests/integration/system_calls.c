// Every system call can fail. A small workload runs once for every k with the k-th system call of the allocator
// failing, and once with all from the k-th on failing. Each call of the API returns a usable block, or NULL with
// ENOMEM. Blocks keep their contents, only a few system calls are repeated in vain, and afterwards everything works and
// nothing is lost.
//
//   system_calls [LAST_K]       needs the checked core, whose os layer can be told to fail
#include "support/family.h"
#include "support/test.h"

#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 600, ROUNDS = 2 };

typedef struct {
    char* p;
    size_t size;
} Block;

typedef struct {
    Block blocks[BLOCKS];
    uint64_t refused;
    char fill;
} Work;

static Work main_work, thread_work;

static void verify(const Block* b, char fill) {
    for (size_t at = 0; at < b->size; at += at < 256 ? 1 : 509)
        CHECK(b->p[at] == fill, "block %p of %zu bytes lost byte %zu", (void*)b->p, b->size, at);
}

static size_t size_number(unsigned i) {
    static const size_t sizes[] = {24, 200, 1000, 3000, 8000, 20000, 100000, 600000, 1500000, 5000000, 70000000};
    return sizes[i < BLOCKS - 30 ? i % 6 : i % 11];
}

static void drop(Work* work, Block* b) {
    if (b->p == NULL) return;
    verify(b, work->fill);
    errno = 4711;
    hak_free(b->p);
    CHECK(errno == 4711, "free of %zu bytes changed errno", b->size);
    b->p = NULL;
}

static void take(Work* work, Block* b, unsigned i) {
    size_t size = size_number(i);
    errno = 0;
    char* p = i % 5 == 0 ? hak_calloc(1, size) : i % 7 == 0 ? hak_memalign(8192, size) : hak_malloc(size);
    if (p == NULL) {
        CHECK(errno == ENOMEM, "%zu bytes gave NULL", size);
        work->refused++;
        return;
    }
    if (i % 5 == 0)
        for (size_t at = 0; at < size; at += at < 100000 ? 61 : 40961)
            CHECK(p[at] == 0, "calloc(%zu): byte %zu is %d", size, at, p[at]);
    memset(p, work->fill, size < 100000 ? size : 100000);
    p[size - 1] = work->fill;
    *b = (Block){p, size < 100000 ? size : 100000};
}

static void resize(Work* work, Block* b, size_t size) {
    if (b->p == NULL) return;
    errno = 0;
    char* p = hak_realloc(b->p, size);
    if (p == NULL) {
        CHECK(errno == ENOMEM, "realloc(%zu) gave NULL", size);
        work->refused++;
        verify(b, work->fill);
        return;
    }
    size_t kept = b->size < size ? b->size : size;
    *b = (Block){p, kept};
    verify(b, work->fill);
}

static void run(Work* work) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BLOCKS; i++) take(work, &work->blocks[i], i);
        for (unsigned i = 0; i < BLOCKS; i += 3) resize(work, &work->blocks[i], size_number(i) * 2);
        resize(work, &work->blocks[BLOCKS - 1], 200000000);
        for (unsigned i = round; i < BLOCKS; i += 2) drop(work, &work->blocks[i]);
        hak_trim(0);
        for (unsigned i = 0; i < BLOCKS; i++) drop(work, &work->blocks[i]);
    }
}

static void* run_in_thread(void* work) {
    run(work);
    return NULL;
}

// Runs in a child of its own, whose exit status says whether the k-th call was reached.
static void child(uint64_t k, uint64_t count) {
    enum { REACHED = 0, NOT_REACHED = 3 };
    alarm(30);
    main_work.fill = 'm';
    thread_work.fill = 't';
    os_fault_arm(k, count);
    run(&main_work);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run_in_thread, &thread_work) == 0, "pthread_create");
    pthread_join(thread, NULL);
    uint64_t calls = os_fault_calls();
    uint64_t refused = main_work.refused + thread_work.refused;
    // if all calls fail from the first on, there is no memory at all
    CHECK(k != 1 || count == 1 || refused >= 2 * ROUNDS * BLOCKS, "only %llu refusals", (unsigned long long)refused);
    // a refusal may search for memory in a few ways, but never over and over
    CHECK(calls < 20000 + 20 * refused, "%llu system calls for %llu refusals", (unsigned long long)calls,
          (unsigned long long)refused);
    os_fault_arm(0, 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        uint64_t before = main_work.refused;
        take(&main_work, &main_work.blocks[i], i);
        CHECK(main_work.refused == before, "%zu bytes are refused after the system recovered", size_number(i));
    }
    for (unsigned i = 0; i < BLOCKS; i++) drop(&main_work, &main_work.blocks[i]);
    test_check_heap();
    hak_trim(0);
    hak_stats_t stats;
    CHECK(hak_stats(&stats, sizeof stats) == 0, "hak_stats");
    CHECK(stats.allocated < 2 << 20, "%llu bytes are lost", (unsigned long long)stats.allocated);
    size_t rss = rss_bytes();
    CHECK(rss < 24 << 20, "RSS is %zu bytes after everything was freed and trimmed", rss);
    _exit(calls >= k ? REACHED : NOT_REACHED);
}

static bool reached(uint64_t k, uint64_t count) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) child(k, count);
    int status;
    while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3), "k %llu, %s: wait status %#x%s",
          (unsigned long long)k, count == 1 ? "that call alone" : "and all later calls", (unsigned)status,
          WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", it hung" : "");
    return WEXITSTATUS(status) == 0;
}

int main(int argc, char** argv) {
    uint64_t last = test_argument(argc, argv, 1, 200);
    test_start("system_calls", 0);
    uint64_t k = 1;
    for (; k <= last; k++) {
        bool alone = reached(k, 1);
        bool all = reached(k, UINT64_MAX);
        if (!alone && !all) break;
    }
    CHECK(k > last || k > 5, "the workload made only %llu system calls: it tests nothing", (unsigned long long)(k - 1));
    test_say("system_calls: ok, k = 1 to %llu", (unsigned long long)(k - 1));
    return 0;
}
