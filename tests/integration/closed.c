// Freed page runs, huge blocks and slabs are closed: who still uses them, or writes far past a block, dies by SIGSEGV.
// Each case runs in a child. What is not wrong works as ever, also where the system allows no more mappings.
//
//   closed [CASE...]     needs HAKMEM_CLOSE=1
#include "support/test.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, RUN = 1 << 18, HUGE = 5 << 20 };

typedef struct {
    const char* name;
    void (*run)(void);
    bool dies;
} Case;

// Hides from the compiler what is done wrong here.
static char* volatile a;
static volatile char sink;

static char* filled(size_t size) {
    char* block = malloc(size);
    CHECK(block != NULL, "malloc(%zu)", size);
    memset(block, 'x', size);
    return block;
}

static void* volatile kept;
static void keep(void* block) {
    kept = block;
}

static void* free_it(void* block) {
    free(block);
    return NULL;
}

static void free_in_thread(void* block) {
    pthread_join(test_thread(free_it, block), NULL);
}

// --- wrong

static void read_of_freed_run(void) {
    a = filled(RUN);
    free(a);
    sink = a[0];
}

static void write_to_freed_run(void) {
    a = filled(RUN);
    free(a);
    a[RUN - 1] = 1;
}

static void read_of_freed_short_run(void) {
    a = filled(20000);
    free(a);
    sink = a[19999];
}

// The freed place is not the first choice for the next block of its size.
static void read_of_freed_run_after_another(void) {
    a = filled(RUN);
    free(a);
    char* next = filled(RUN);
    sink = a[100];
    free(next);
}

static void read_of_freed_huge_block(void) {
    a = filled(HUGE);
    free(a);
    sink = a[HUGE / 2];
}

static void read_of_run_freed_by_another_thread(void) {
    a = filled(RUN);
    free_in_thread(a);
    sink = a[PAGE];
}

// Its first page held the link until the owner took it back.
static void read_of_first_page_once_the_owner_knows(void) {
    a = filled(RUN);
    free_in_thread(a);
    malloc_trim(0);
    sink = a[0];
}

static void read_of_huge_block_freed_by_another_thread(void) {
    a = filled(HUGE);
    free_in_thread(a);
    sink = a[0];
}

static void write_past_a_run(void) {
    char* block[8];
    for (int i = 0; i < 8; i++) block[i] = filled(RUN);
    a = block[3];
    a[RUN] = 1;
}

static void write_past_a_huge_block(void) {
    a = filled(HUGE + PAGE);
    a[HUGE + PAGE] = 1;
}

static void write_a_megabyte_past_a_small_block(void) {
    a = filled(8);
    memset(a, 1, 2 << 20);
}

// One block in 128 stays, so that no SuperSlab goes back. Slabs are closed when they go back to the system.
static void read_of_slab_without_blocks(void) {
    enum { BLOCKS = 4000, KEPT = 128 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) block[i] = filled(8000);
    for (int i = 0; i < BLOCKS; i++)
        if (i % KEPT) free(block[i]);
    malloc_trim(0);
    for (int i = 0; i < BLOCKS; i++) sink = block[i][100];
}

static void read_of_what_a_run_lost(void) {
    a = filled(RUN);
    keep(realloc(a, RUN / 2));
    sink = a[RUN - 1];
}

static void read_of_units_that_a_huge_block_lost(void) {
    a = filled(HUGE);
    keep(realloc(a, 3 << 20));
    sink = a[HUGE - 1];
}

static void read_of_pages_that_a_huge_block_lost(void) {
    a = filled(HUGE);
    keep(realloc(a, HUGE - 2 * PAGE));
    sink = a[HUGE - 1];
}

// --- right

static void expect_byte(const char* block, size_t at, char byte) {
    CHECK(block[at] == byte, "byte %zu is %d, not %d", at, block[at], byte);
}

static void blocks_are_whole(void) {
    static const size_t sizes[] = {20000, 70000, RUN, RUN + 1, 1 << 20, HUGE, HUGE + PAGE, 8 << 20};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < SIZES; i++) {
            char* block = calloc(1, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at += PAGE - 1) expect_byte(block, at, 0);
            CHECK(malloc_usable_size(block) >= sizes[i], "usable: %zu of %zu", malloc_usable_size(block), sizes[i]);
            memset(block, 'c', malloc_usable_size(block));
            block = realloc(block, sizes[i] + (size_t)round * 30000);
            memset(block + sizes[i], 'd', malloc_usable_size(block) - sizes[i]);
            expect_byte(block, sizes[i] - 1, 'c');
            block = realloc(block, sizes[i] / 2);
            expect_byte(block, sizes[i] / 2 - 1, 'c');
            if (round % 2)
                free(block);
            else
                free_in_thread(block);
        }
    test_check_heap();
}

static void huge_blocks_grow_in_place_and_elsewhere(void) {
    char *first = filled(3 << 20), *second = filled(3 << 20);
    for (size_t size = 3 << 20; size <= 40 << 20; size += 1234567) {
        first = realloc(first, size);
        second = realloc(second, size);
        expect_byte(first, 0, 'x');
        expect_byte(second, (3 << 20) - 2, 'x');
        first[size - 1] = second[size - 1] = 'y';
    }
    free(first);
    free(second);
}

static void memory_is_closed_in_a_child_and_opened_there(void) {
    char *block = filled(RUN), *freed = filled(RUN);
    free(freed);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    free(block);
    for (int i = 0; i < 20; i++) free(filled(RUN));
    if (child == 0) _exit(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child: %#x", (unsigned)status);
}

enum { CHECKED_RUNS = 64 };

static void* free_all(void* runs) {
    for (int i = 0; i < CHECKED_RUNS; i++) free(((char**)runs)[i]);
    return NULL;
}

static void runs_are_freed_while_the_heap_is_checked(void) {
    char* run[CHECKED_RUNS];
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < CHECKED_RUNS; i++) run[i] = malloc(20001);
        pthread_t other = test_thread(free_all, run);
        for (int i = 0; i < 20; i++) test_check_heap();
        pthread_join(other, NULL);
    }
}

static unsigned mappings(void) {
    unsigned lines = 0;
    char text[4096];
    FILE* file = fopen("/proc/self/maps", "r");
    CHECK(file != NULL, "maps");
    for (size_t length; (length = fread(text, 1, sizeof text, file)) > 0;)
        for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
    fclose(file);
    return lines;
}

static void mappings_are_bounded(void) {
    enum { RUNS = 24000, MOST = 32000 };
    static char* run[RUNS];
    for (int i = 0; i < RUNS; i++) {
        CHECK((run[i] = malloc(20000)) != NULL, "run %d", i);
        run[i][0] = 1;
    }
    unsigned count = mappings();
    CHECK(count < MOST, "%u mappings", count);
    for (int i = 0; i < RUNS; i += 2) free(run[i]);
    count = mappings();
    CHECK(count < MOST, "%u mappings", count);
    for (int i = 0; i < RUNS; i += 2) CHECK((run[i] = malloc(20000)) != NULL, "run %d again", i);
    for (int i = 0; i < RUNS; i++) run[i][19999] = 1;
    for (int i = 0; i < RUNS; i++) free(run[i]);
    test_check_heap();
}

// Takes nearly all mappings that the system allows, for the program's own memory.
static void take_mappings(void) {
    enum { PIECES = 1 << 18 };
    char* at = mmap(NULL, (size_t)PIECES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED, "mmap");
    int i = 1;
    while (i < PIECES && mprotect(at + (size_t)i * PAGE, PAGE, PROT_NONE) == 0) i += 2;
    if (i < PIECES) return;
    test_say("closed: skipped, more mappings are allowed than this test can take");
    _exit(0);
}

static void blocks_are_served_where_no_mapping_is_left(void) {
    enum { RUNS = 600 };
    static char* run[RUNS];
    for (int i = 0; i < RUNS; i++) run[i] = filled(20000 + (size_t)i * 100);
    char* huge = filled(64 << 20);
    for (int i = 0; i < RUNS; i += 2) free(run[i]);
    free(huge);
    take_mappings();
    // In the middle of closed units: at least the second.
    for (int i = 0; i < 2; i++) {
        huge = memalign(8 << 20, 2 << 20);
        CHECK(huge != NULL && (uintptr_t)huge % (8 << 20) == 0, "aligned block %d: %p", i, (void*)huge);
        memset(huge, 'z', 2 << 20);
    }
    for (int i = 0; i < RUNS; i += 2) {
        run[i] = malloc(30000);
        CHECK(run[i] != NULL, "run %d: errno %d", i, errno);
        memset(run[i], 'y', 30000);
    }
    for (int i = 0; i < RUNS; i++) free(run[i]);
    // Nothing is closed any more, and a run still has its page behind: no longer block may get it.
    for (size_t size = 20000; size < 100000; size += 4096) {
        free(malloc(size));
        char* longer = malloc(size + 4096);
        CHECK(malloc_usable_size(longer) >= size + 4096, "usable: %zu of %zu", malloc_usable_size(longer), size + 4096);
        free(longer);
    }
}

static const Case cases[] = {
    {"read_of_freed_run", read_of_freed_run, true},
    {"write_to_freed_run", write_to_freed_run, true},
    {"read_of_freed_short_run", read_of_freed_short_run, true},
    {"read_of_freed_run_after_another", read_of_freed_run_after_another, true},
    {"read_of_freed_huge_block", read_of_freed_huge_block, true},
    {"read_of_run_freed_by_another_thread", read_of_run_freed_by_another_thread, true},
    {"read_of_first_page_once_the_owner_knows", read_of_first_page_once_the_owner_knows, true},
    {"read_of_huge_block_freed_by_another_thread", read_of_huge_block_freed_by_another_thread, true},
    {"write_past_a_run", write_past_a_run, true},
    {"write_past_a_huge_block", write_past_a_huge_block, true},
    {"write_a_megabyte_past_a_small_block", write_a_megabyte_past_a_small_block, true},
    {"read_of_slab_without_blocks", read_of_slab_without_blocks, true},
    {"read_of_what_a_run_lost", read_of_what_a_run_lost, true},
    {"read_of_units_that_a_huge_block_lost", read_of_units_that_a_huge_block_lost, true},
    {"read_of_pages_that_a_huge_block_lost", read_of_pages_that_a_huge_block_lost, true},
    {"blocks_are_whole", blocks_are_whole, false},
    {"huge_blocks_grow_in_place_and_elsewhere", huge_blocks_grow_in_place_and_elsewhere, false},
    {"memory_is_closed_in_a_child_and_opened_there", memory_is_closed_in_a_child_and_opened_there, false},
    {"runs_are_freed_while_the_heap_is_checked", runs_are_freed_while_the_heap_is_checked, false},
    {"mappings_are_bounded", mappings_are_bounded, false},
    {"blocks_are_served_where_no_mapping_is_left", blocks_are_served_where_no_mapping_is_left, false},
};

static void verify(const Case* c) {
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(30);
        c->run();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
    CHECK(c->dies ? died : status == 0, "%s: status %#x", c->name, (unsigned)status);
}

static bool is_wanted(const Case* c, int argc, char** argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], c->name) == 0) return true;
    return argc == 1;
}

int main(int argc, char** argv) {
    test_start("closed", 0);
    unsigned count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_wanted(&cases[i], argc, argv)) continue;
        verify(&cases[i]);
        count++;
    }
    CHECK(count > 0, "no such case");
    test_say("closed: ok, %u cases", count);
    return 0;
}
