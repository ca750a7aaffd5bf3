// HAKMEM_ZERO=free: what a program frees is cleared, whoever frees it, and what a block loses when it shrinks.
// HAKMEM_ZERO=alloc: all bytes of a new block are zeros, and those that a block gains when it grows.
//
//   zero free|alloc     needs the same word in HAKMEM_ZERO
#include "support/test.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// A free block of a class has a link in its first 8 bytes.
enum { LINK = 8 };

static const size_t sizes[] = {16,    24,    100,   256,    1000,   1024,   1500,    4096,    8192,    12000,  16384,
                               20000, 50000, 70000, 262144, 600000, 900000, 1048576, 1048577, 2 << 20, 5000000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

// Hides from the compiler that freed memory is read.
static unsigned char* volatile freed;

static unsigned char* filled(size_t size) {
    unsigned char* block = malloc(size);
    CHECK(block != NULL, "malloc(%zu)", size);
    return memset(block, 'x', malloc_usable_size(block));
}

static void expect_zeros(const unsigned char* at, size_t from, size_t end, const char* what, size_t size) {
    for (; from < end; from++) CHECK(at[from] == 0, "%s, size %zu: byte %zu is %#x", what, size, from, at[from]);
}

static void* free_it(void* block) {
    free(block);
    return NULL;
}

// A thread with so many frees has a control block of its own.
static void* free_it_after_others(void* block) {
    for (int i = 0; i < 100; i++) free(malloc(50));
    free(block);
    return NULL;
}

static void in_thread(void* (*work)(void*), void* argument) {
    pthread_join(test_thread(work, argument), NULL);
}

// --- free

static void free_sized_by(void* block, size_t size) {
    void (*function)(void*, size_t);
    *(void**)&function = test_symbol("free_sized");
    function(block, size);
}

static void a_freed_block_is_cleared(size_t size) {
    static const char* const ways[] = {"free", "free_sized", "realloc", "a new thread", "a thread", "free of aligned"};
    for (int way = 0; way < 6; way++) {
        // Neighbours keep the slab in use.
        unsigned char *before = filled(size), *block = way == 5 ? memalign(64, size) : filled(size),
                      *behind = filled(size);
        size_t usable = malloc_usable_size(block);
        memset(block, 'x', usable);
        freed = block;
        if (way == 0 || way == 5) free(block);
        if (way == 1) free_sized_by(block, size);
        if (way == 2) free(realloc(block, size * 3));
        if (way == 3) in_thread(free_it, block);
        if (way == 4) in_thread(free_it_after_others, block);
        // A huge block may have grown where it was.
        if (way != 2 || size * 3 <= 1 << 20) expect_zeros(freed, LINK, usable, ways[way], size);
        // A page run has no link once its owner took it back.
        if (size > 16384 && size <= 1 << 20 && way != 2) {
            malloc_trim(0);
            expect_zeros(freed, 0, usable, ways[way], size);
        }
        free(before);
        free(behind);
    }
}

static void what_a_block_loses_is_cleared(size_t size) {
    unsigned char* block = filled(size);
    size_t usable = malloc_usable_size(block), less = size - size / 4;
    unsigned char* same = realloc(block, less);
    CHECK(same[0] == 'x' && same[less - 1] == 'x', "realloc(%zu)", less);
    freed = block;
    if (same == block) expect_zeros(freed, less, usable, "shrunk", size);
    free(same);
}

static void a_full_bin_is_cleared(void) {
    enum { BLOCKS = 3000 };
    static unsigned char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) block[i] = filled(200);
    for (int i = 0; i < BLOCKS; i++) {
        freed = block[i];
        free(block[i]);
        expect_zeros(freed, LINK, 200, "many", 200);
    }
}

// What begins like the link of a free block is cleared as well, whether it is freed or set aside.
static void a_block_that_begins_like_a_link_is_cleared(size_t size) {
    static const uint64_t like_links[] = {0x9af9000000000001, 0x9af9123456789abc};
    for (int i = 0; i < 2; i++) {
        unsigned char* block = filled(size);
        size_t usable = malloc_usable_size(block);
        memcpy(block, &like_links[i], sizeof like_links[i]);
        freed = block;
        free(block);
        if (size <= 1 << 20) expect_zeros(freed, LINK, usable, "like a link", size);
    }
}

// The run waits on the remote stack of its owner, and begins with the link of that.
static void a_waiting_run_freed_twice_keeps_its_link(void) {
    unsigned char *kept = filled(100000), *block = filled(100000);
    in_thread(free_it, block);
    freed = block;
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        int (*set)(const char*, const char*);
        *(void**)&set = test_symbol("hak_option_set");
        CHECK(set("HAKMEM_ON_ERROR", "report") == 0, "report");
        free(freed);
        malloc_trim(0);
        free(filled(100000));
        test_check_heap();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "freed twice: %#x", (unsigned)status);
    free(kept);
}

static int status_of_free(void* p) {
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        free(p);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    return status;
}

// Clearing shows which address is no block.
static void wrong_addresses_are_told(void) {
    unsigned char* block = filled(200);
    freed = block;
    int into = status_of_free(freed + 16), never = status_of_free(freed - (uintptr_t)freed % 65536 + 65280);
    CHECK(WIFSIGNALED(into) && WTERMSIG(into) == SIGABRT, "into a block: %#x", (unsigned)into);
    CHECK(WIFSIGNALED(never) && WTERMSIG(never) == SIGABRT, "never handed out: %#x", (unsigned)never);
    free(block);
}

static void wrong_addresses_clear_nothing(void) {
    unsigned char* block = filled(100);
    free(NULL);
    unsigned char* next = filled(100);
    expect_zeros((unsigned char*)calloc(1, 100), 0, 100, "calloc", 100);
    CHECK(block[99] == 'x' && next[0] == 'x', "%d %d", block[99], next[0]);
    free(block);
    free(next);
}

// --- alloc

// Leaves memory of all sizes that is not zero, in bins, slabs, the run cache and free units.
static void* leave_dirt(void* unused) {
    static const size_t most = 4 << 20;
    (void)unused;
    for (size_t i = 0; i < SIZES; i++) {
        void* block[40];
        size_t count = most / sizes[i] < 1 ? 1 : most / sizes[i] < 40 ? most / sizes[i] : 40;
        for (size_t k = 0; k < count; k++) block[k] = filled(sizes[i]);
        for (size_t k = 0; k < count; k++) free(block[k]);
    }
    return NULL;
}

static void expect_new(unsigned char* block, const char* what, size_t size) {
    CHECK(block != NULL, "%s(%zu)", what, size);
    expect_zeros(block, 0, malloc_usable_size(block), what, size);
    memset(block, 'y', malloc_usable_size(block));
}

static void a_new_block_is_zero(size_t size) {
    for (int i = 0; i < 3; i++) {
        unsigned char *block = malloc(size), *aligned = memalign(256, size), *cleared = calloc(1, size);
        expect_new(block, "malloc", size);
        expect_new(aligned, "memalign", size);
        expect_new(cleared, "calloc", size);
        free(block);
        free(aligned);
        free(cleared);
    }
}

static void what_a_block_gains_after_a_loss_is_zero(size_t size) {
    unsigned char* block = filled(size);
    size_t less = size - size / 8;
    block = realloc(block, less);
    block = realloc(block, size);
    CHECK(block[less - 1] == 'x', "realloc(%zu)", size);
    expect_zeros(block, less, size, "realloc after a loss", size);
    free(block);
}

static void what_a_block_gains_is_zero(size_t size) {
    unsigned char *behind = filled(2 * size + 30000), *block = filled(size);
    free(behind);
    size_t old = malloc_usable_size(block);
    for (int i = 1; i < 4; i++) {
        size_t more = size + (size_t)i * (size / 2 + 5000);
        block = realloc(block, more);
        CHECK(block[old - 1] == 'x', "realloc(%zu)", more);
        expect_zeros(block, old, malloc_usable_size(block), "realloc", more);
        old = malloc_usable_size(block);
        memset(block, 'x', old);
    }
    free(block);
}

int main(int argc, char** argv) {
    test_start("zero", 0);
    const char *wanted = argc == 2 ? argv[1] : "", *in_force = getenv("HAKMEM_ZERO");
    CHECK(in_force != NULL && strcmp(in_force, wanted) == 0, "usage: HAKMEM_ZERO=WORD zero WORD");
    in_thread(leave_dirt, NULL);
    leave_dirt(NULL);
    for (size_t i = 0; i < SIZES; i++) {
        if (strcmp(wanted, "free") == 0) {
            a_freed_block_is_cleared(sizes[i]);
            what_a_block_loses_is_cleared(sizes[i]);
            a_block_that_begins_like_a_link_is_cleared(sizes[i]);
        } else {
            a_new_block_is_zero(sizes[i]);
            what_a_block_gains_is_zero(sizes[i]);
            what_a_block_gains_after_a_loss_is_zero(sizes[i]);
        }
    }
    if (strcmp(wanted, "free") == 0) {
        a_full_bin_is_cleared();
        a_waiting_run_freed_twice_keeps_its_link();
        wrong_addresses_clear_nothing();
        wrong_addresses_are_told();
    }
    test_check_heap();
    test_say("zero: ok");
    return 0;
}
