// A page for every block: what lies around a block is closed, and what was freed is, at once and for long.
//
//   pages [CASE...]     needs libhakmem-checked.so preloaded and HAKMEM_PAGES=end or start
#include "support/test.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static bool at_start;
static int ends[2];  // of a pipe

// The kernel reads the byte, and refuses where the program would get a signal.
static bool is_closed(const void* p) {
    char byte;
    __asm__("" : "+r"(p));  // the compiler knows how long blocks are
    if (write(ends[1], p, 1) != 1) {
        CHECK(errno == EFAULT, "write: %d", errno);
        return true;
    }
    CHECK(read(ends[0], &byte, 1) == 1, "read");
    return false;
}

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

// Where the first closed byte on the flush side must be.
static bool is_guarded(const char* p, size_t size) {
    return at_start ? is_closed(p - 1) : is_closed(p + round_up(size, 16));
}

static void expect_block(const char* p, size_t size, size_t alignment) {
    CHECK(p != NULL, "%zu bytes aligned to %zu", size, alignment);
    CHECK((uintptr_t)p % alignment == 0, "%p is not aligned to %zu", (const void*)p, alignment);
    CHECK(malloc_usable_size((void*)(uintptr_t)p) == size, "usable size %zu of %zu bytes",
          malloc_usable_size((void*)(uintptr_t)p), size);
    CHECK(size == 0 || (!is_closed(p) && !is_closed(p + size - 1)), "%zu bytes at %p are not open", size,
          (const void*)p);
    if (alignment <= 16) CHECK(is_guarded(p, size), "%zu bytes at %p: what is beside is open", size, (const void*)p);
}

static const size_t sizes[] = {1, 13, 16, 100, 4080, 4096, 4097, 9000, 65536, 500000, 1000000, 5000000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void map_and_unmap(void) {
    enum { MAPPINGS = 2000 };
    static void* mapping[MAPPINGS];
    for (int i = 0; i < MAPPINGS; i++) {
        mapping[i] = mmap(NULL, 4096, i % 2 ? PROT_NONE : PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(mapping[i] != MAP_FAILED, "mapping %d of the program: %d", i, errno);
    }
    for (int i = 0; i < MAPPINGS; i++) munmap(mapping[i], 4096);
}

// --- cases

static void a_block_has_a_closed_page_beside_it(void) {
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < SIZES; i++) {
            char* p = malloc(sizes[i]);
            expect_block(p, sizes[i], 16);
            memset(p, 'p', sizes[i]);
            free(p);
            CHECK(is_closed(p) && is_closed(p + sizes[i] - 1), "%zu bytes at %p are open after their free", sizes[i],
                  (void*)p);
        }
}

static void a_block_of_no_bytes_has_none(void) {
    char *p = malloc(0), *q = malloc(0);
    expect_block(p, 0, 16);
    CHECK(p != q && is_closed(p) && is_closed(p - 1), "a byte at %p is open", (void*)p);
    p = realloc(p, 10);
    expect_block(p, 10, 16);
    free(p);
    free(q);
}

static void an_alignment_holds(void) {
    for (size_t alignment = 16; alignment <= 8 * MIB; alignment *= 2)
        for (int i = 0; i < SIZES; i += 3) {
            char* p = memalign(alignment, sizes[i]);
            expect_block(p, sizes[i], alignment);
            memset(p, 'a', sizes[i]);
            const char* behind = (const char*)round_up((size_t)p + sizes[i], 4096);
            CHECK(is_closed(behind), "%zu bytes at %p: the next page is open", sizes[i], (void*)p);
            free(p);
        }
}

static void new_memory_is_zero_and_realloc_keeps_its_content(void) {
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; k < SIZES; k++) {
            size_t less = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
            char* p = calloc(1, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at += at < 5000 ? 1 : 1001) CHECK(p[at] == 0, "calloc(%zu)", sizes[i]);
            memset(p, 'r', sizes[i]);
            char* q = realloc(p, sizes[k]);
            expect_block(q, sizes[k], 16);
            CHECK(p != q && is_closed(p), "%zu bytes did not move", sizes[i]);
            for (size_t at = 0; at < less; at += at < 5000 ? 1 : 1001) CHECK(q[at] == 'r', "realloc to %zu", sizes[k]);
            free(q);
        }
}

static void what_was_freed_first_is_used_again_first(void) {
    enum { LATER = 20000 };
    char* p = malloc(50);
    free(p);
    for (int i = 0; i < LATER; i++) {
        char* q = malloc(50);
        CHECK(q != p, "a block was used again after %d others", i);
        free(q);
    }
    CHECK(is_closed(p), "it was opened");
}

static void freed_memory_goes_back(void) {
    size_t before = rss_bytes();
    for (int i = 0; i < 3000; i++) {
        char* p = malloc(200000);
        memset(p, 'm', 200000);
        free(p);
    }
    test_expect_flat(before, 4 * MIB, "3000 blocks of 200,000 bytes");
}

static void many_live_blocks_are_covered(void) {
    enum { BLOCKS = 30000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) block[i] = malloc(40);
    for (int i = 0; i < BLOCKS; i++) CHECK(is_guarded(block[i], 40), "block %d of %d is not covered", i, BLOCKS);
    for (int i = 0; i < BLOCKS; i++) free(block[i]);
    for (int i = 0; i < BLOCKS; i++) CHECK(is_closed(block[i]), "block %d is open after its free", i);
}

// More than there may be mappings. The program can map as well, and the youngest blocks are covered.
static void more_live_blocks_leave_room_for_mappings(void) {
    enum { BLOCKS = 100000, YOUNG = 1000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) *(block[i] = malloc(40)) = 'l';
    map_and_unmap();
    for (int i = BLOCKS - YOUNG; i < BLOCKS; i++) CHECK(is_guarded(block[i], 40), "young block %d is not covered", i);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(*block[i] == 'l', "block %d has changed", i);
        free(block[i]);
    }
    a_block_has_a_closed_page_beside_it();
}

static void* free_all(void* list) {
    for (char** block = list; *block; block++) {
        **block = 'f';
        free(*block);
    }
    return NULL;
}

static void* churn(void* seed) {
    enum { ROUNDS = 60, BLOCKS = 100 };
    Random random = {(uint64_t)(uintptr_t)seed};
    for (int round = 0; round < ROUNDS; round++) {
        char* block[BLOCKS + 1] = {0};
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = malloc(1 + (size_t)random_below(&random, 20000));
            block[i][0] = 'c';
        }
        pthread_join(test_thread(free_all, block), NULL);
        CHECK(is_closed(block[0]), "a block that another thread freed is open");
    }
    return NULL;
}

static void threads_free_each_others_blocks(void) {
    pthread_t thread[4];
    for (uintptr_t i = 0; i < 4; i++) CHECK(pthread_create(&thread[i], NULL, churn, (void*)(i + 1)) == 0, "no thread");
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
}

static void use_what_the_parent_had(char** block, int blocks) {
    for (int i = 0; i < blocks; i++) {
        CHECK(*block[i] == 'f' && is_guarded(block[i], 40), "block %d in the child", i);
        free(block[i]);
        CHECK(is_closed(block[i]), "block %d is open after its free in the child", i);
    }
    for (int round = 0; round < 3; round++) a_block_has_a_closed_page_beside_it();
    char* more[2000];
    for (int i = 0; i < 2000; i++) more[i] = malloc(40);
    for (int i = 0; i < 2000; i++) CHECK(is_guarded(more[i], 40), "new block %d in the child", i);
    exit(0);
}

static void the_child_of_a_fork_has_closed_pages(void) {
    enum { BLOCKS = 3000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) *(block[i] = malloc(40)) = 'f';
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) use_what_the_parent_had(block, BLOCKS);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: %#x", (unsigned)status);
    for (int i = 0; i < BLOCKS; i++) {
        CHECK(*block[i] == 'f', "block %d after the child freed it", i);
        free(block[i]);
    }
}

// What the child frees of its parent's blocks may go on costing mappings.
static void the_child_of_a_fork_has_room_for_mappings(void) {
    enum { BLOCKS = 25000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) *(block[i] = malloc(40)) = 'p';
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    for (int round = 0; round < (pid == 0 ? 2 : 1); round++)
        for (int i = 0; i < BLOCKS; i++) {
            free(block[i]);
            *(block[i] = malloc(40)) = 'c';
        }
    map_and_unmap();
    if (pid == 0) exit(0);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: %#x", (unsigned)status);
    for (int i = 0; i < BLOCKS; i++) free(block[i]);
}

static char* volatile from_handler;

static void allocate_in_handler(int signal) {
    (void)signal;
    char* p = malloc(60);
    *p = 'h';
    free(from_handler);
    from_handler = p;
}

static void a_handler_may_allocate(void) {
    struct itimerval often = {{0, 200}, {0, 200}}, never = {0};
    signal(SIGALRM, allocate_in_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 30000; i++) free(memset(malloc(60), 'w', 60));
    setitimer(ITIMER_REAL, &never, NULL);
    free(from_handler);
}

// Without room for pages, the blocks come from the guarded heap.
static void a_limit_is_no_failure(void) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        struct rlimit limit = {mapped_bytes() + 64 * MIB, mapped_bytes() + 64 * MIB};
        CHECK(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
        for (int i = 0; i < 3000; i++) {
            char* p = malloc(100);
            CHECK(p != NULL, "block %d: %d", i, errno);
            memset(p, 'l', 100);
        }
        errno = 0;
        CHECK(malloc(200 * MIB) == NULL && errno == ENOMEM, "200 MiB within a limit of 64: %d", errno);
        exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: %#x", (unsigned)status);
}

// Guards are refused in locked memory.
static void locked_memory_is_closed_as_well(void) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        char* before = malloc(3000);
        *before = 'b';
        if (mlockall(MCL_CURRENT) != 0) exit(0);
        free(before);
        CHECK(is_closed(before), "a locked page is open after its free");
        mlockall(MCL_CURRENT | MCL_FUTURE);
        for (int i = 0; i < 2000; i++) {
            char* p = malloc(100);
            CHECK(is_guarded(p, 100), "a locked block is not covered");
            free(p);
            CHECK(is_closed(p), "a locked block is open after its free");
        }
        exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child: %#x", (unsigned)status);
}

#define CASE(name) \
    { #name, name }
static const struct {
    const char* name;
    void (*run)(void);
} cases[] = {
    CASE(a_block_has_a_closed_page_beside_it),
    CASE(a_block_of_no_bytes_has_none),
    CASE(an_alignment_holds),
    CASE(new_memory_is_zero_and_realloc_keeps_its_content),
    CASE(what_was_freed_first_is_used_again_first),
    CASE(freed_memory_goes_back),
    CASE(threads_free_each_others_blocks),
    CASE(the_child_of_a_fork_has_closed_pages),
    CASE(the_child_of_a_fork_has_room_for_mappings),
    CASE(a_handler_may_allocate),
    CASE(a_limit_is_no_failure),
    CASE(locked_memory_is_closed_as_well),
    CASE(many_live_blocks_are_covered),
    CASE(more_live_blocks_leave_room_for_mappings),
};

static bool is_wanted(int argc, char** argv, const char* name) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; i++) wanted |= strcmp(argv[i], name) == 0;
    return wanted;
}

int main(int argc, char** argv) {
    const char* mode = getenv("HAKMEM_PAGES");
    test_start("pages", 0);
    CHECK(mode != NULL, "HAKMEM_PAGES is not set");
    at_start = strcmp(mode, "start") == 0;
    CHECK(pipe(ends) == 0, "pipe");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_wanted(argc, argv, cases[i].name)) continue;
        double start = now_seconds();
        cases[i].run();
        test_say("ok %s, %.2f s", cases[i].name, now_seconds() - start);
    }
    return 0;
}
