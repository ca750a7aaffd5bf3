// Guard mode stops a program at its first wrong act, with the right words. Each case runs in a child whose stderr is a
// log. It must end by SIGABRT after one line that names the check and the site, with program counters in this program.
// A case that does nothing wrong must end with status 0 and say nothing.
//
//   guard [CASE...]     needs libhakmem-checked.so preloaded and HAKMEM_GUARD=1
#include "support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    const char* name;
    void (*run)(void);
    const char* check;  // NULL: nothing is wrong; "": SIGSEGV
    const char* site;
    const char* words;  // in the line
} Case;

// Hides from the compiler what is done wrong here.
static char* volatile a;
static char* volatile b;
static char in_static_memory[64];

static void* symbol(const char* name) {
    void* found = dlsym(RTLD_DEFAULT, name);
    CHECK(found != NULL, "no %s", name);
    return found;
}

static void* cxx_new(const char* name, size_t size) {
    void* (*function)(size_t);
    *(void**)&function = symbol(name);
    return function(size);
}

static void* cxx_new_aligned(const char* name, size_t size, size_t alignment) {
    void* (*function)(size_t, size_t);
    *(void**)&function = symbol(name);
    return function(size, alignment);
}

static void cxx_delete(const char* name, void* p) {
    void (*function)(void*);
    *(void**)&function = symbol(name);
    function(p);
}

static void free_by(const char* name, void* p, size_t size) {
    void (*function)(void*, size_t);
    *(void**)&function = symbol(name);
    function(p, size);
}

static void free_aligned_by(const char* name, void* p, size_t size, size_t alignment) {
    void (*function)(void*, size_t, size_t);
    *(void**)&function = symbol(name);
    function(p, size, alignment);
}

static void in_thread(void* (*function)(void*), void* argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static void* free_it(void* p) {
    free(p);
    return NULL;
}

// Frees enough other blocks of the size to push a block out of the quarantine.
static void push_out(size_t size) {
    for (int i = 0; i < 2000; i++) free(malloc(size));
}

// A free block, out of the quarantine, whose neighbours are live, so that its slab stays.
static void free_and_push_out(void) {
    enum { NEIGHBOURS = 100 };
    char* neighbours[NEIGHBOURS];
    for (int i = 0; i < NEIGHBOURS; i++) neighbours[i] = malloc(100);
    a = neighbours[NEIGHBOURS / 2];
    free(a);
    push_out(5000);
}

// ---- writes beyond

static void overflow(void) {
    a = malloc(100);
    a[100] = 0;
    free(a);
}

static void overflow_string(void) {
    a = calloc(1, 8);
    strcpy(a, "12345678901");
    free(a);
}

static void write_to_nothing(void) {
    a = malloc(0);
    a[0] = 'x';
}

static void read_of_nothing(void) {
    a = calloc(0, 8);
    in_static_memory[0] = a[0];
}

static void read_of_freed_nothing(void) {
    a = malloc(0);
    free(a);
    in_static_memory[0] = a[0];
}

static void double_free_of_nothing(void) {
    a = malloc(0);
    free(a);
    free(a);
}

// A closed page follows at once.
static void overflow_of_whole_pages(void) {
    a = malloc(262144);
    a[262144] = 1;
}

static void overflow_of_whole_pages_of_huge(void) {
    a = malloc(3 << 20);
    in_static_memory[0] = a[3 << 20];
}

static void overflow_of_whole_units(void) {
    a = malloc(4 << 20);
    a[4 << 20] = 1;
    free(a);
}

static void overflow_by_a_megabyte(void) {
    a = malloc(8);
    a[7 + (1 << 20)] = 1;
}

// Where all slabs before and behind are in use, a gap stops who writes on.
static void overflow_of_a_megabyte(void) {
    enum { BLOCKS = 4000 };
    static char* block[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) block[i] = malloc(4000);
    a = block[BLOCKS / 2];
    memset(a, 1, 1 << 20);
}

static void overflow_at_realloc(void) {
    a = malloc(50000);
    a[50001] = 1;
    a = realloc(a, 60000);
}

static void overflow_of_huge(void) {
    a = malloc(3000000);
    a[3000000] = 1;
    free(a);
}

static void overflow_of_aligned(void) {
    a = memalign(256, 300);
    a[302] = 'z';
    free(a);
}

static void overflow_then_wrong_family(void) {
    a = malloc(40);
    a[40] = 1;
    cxx_delete("_ZdlPv", a);
}

static void overflow_of_live(void) {
    a = malloc(33);
    a[33] = 'l';
}

static void overflow_in_thread(void) {
    a = malloc(20);
    a[20] = 't';
    in_thread(free_it, a);
}

static void underflow(void) {
    enum { BLOCKS = 64 };
    char* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc(100);
    for (int i = 1; i < BLOCKS; i++) {
        if (blocks[i] != blocks[i - 1] + 128) continue;
        b = blocks[i];
        b[-1] = 'u';
        b[-4] = 'v';
        free(blocks[i - 1]);
    }
}

// ---- writes and reads after

static void write_after_free(void) {
    a = malloc(100);
    free(a);
    a[3] = 'h';
    a[5] = 'i';
    push_out(100);
}

static void write_after_free_at_exit(void) {
    a = malloc(3000);
    free(a);
    a[2999] = 'e';
}

static void write_after_free_at_reuse(void) {
    free_and_push_out();
    a[50] = 'r';
    for (int i = 0; i < 3000; i++) b = malloc(100);
}

static void write_after_free_at_calloc(void) {
    free_and_push_out();
    a[50] = 'r';
    for (int i = 0; i < 3000; i++) b = calloc(1, 100);
}

static void* write_and_end(void* unused) {
    (void)unused;
    a = malloc(100);
    free(a);
    a[0] = 'w';
    return NULL;
}

static void write_after_free_at_thread_end(void) {
    in_thread(write_and_end, NULL);
}

static void write_after_free_of_run(void) {
    a = malloc(100000);
    free(a);
    a[8191] = 'R';
}

static void read_after_free_of_huge(void) {
    a = malloc(5000000);
    free(a);
    in_static_memory[0] = a[0];
}

static void realloc_after_free(void) {
    a = malloc(64);
    free(a);
    a = realloc(a, 100);
}

static void size_after_free(void) {
    a = malloc(64);
    free(a);
    malloc_usable_size(a);
}

static void old_address_after_realloc(void) {
    a = malloc(64);
    b = realloc(a, 65);
    b = realloc(a, 66);
}

static void no_core(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

static void read_of_purged_huge(void) {
    a = malloc(5000000);
    memset(a, 1, 5000000);
    free(a);
    malloc_trim(0);
    in_static_memory[0] = a[3000000];
}

// Two of three slabs go back; the third holds its SuperSlab.
static void read_of_purged_slabs(void) {
    enum { BLOCKS = 2000 };
    char* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = malloc(8000);
    for (int i = 0; i < BLOCKS; i++)
        if (i / 24 % 3) free(blocks[i]);
    malloc_trim(0);
    for (int i = 0; i < BLOCKS; i++) in_static_memory[0] = (char)(in_static_memory[0] + blocks[i][100]);
}

// ---- frees

static void double_free(void) {
    a = malloc(100);
    free(a);
    free(a);
}

static void double_free_late(void) {
    free_and_push_out();
    free(a);
}

static void double_free_of_run(void) {
    a = malloc(70000);
    free(a);
    malloc_trim(0);
    free(a);
}

static void double_free_of_huge(void) {
    a = malloc(7000000);
    free(a);
    free(a);
}

static void double_free_in_threads(void) {
    a = malloc(100);
    in_thread(free_it, a);
    free(a);
}

static pthread_barrier_t together;
static void* free_together(void* unused) {
    (void)unused;
    for (;;) {
        pthread_barrier_wait(&together);
        free(a);
        pthread_barrier_wait(&together);
    }
    return NULL;
}

static void double_free_at_once(void) {
    pthread_t thread;
    pthread_barrier_init(&together, NULL, 2);
    a = malloc(100);
    CHECK(pthread_create(&thread, NULL, free_together, NULL) == 0, "pthread_create");
    free_together(NULL);
}

static void free_of_stack(void) {
    char local[64];
    a = local;
    free(a + 16);
}

static void free_of_static(void) {
    free(in_static_memory + 16);
}

static void free_of_mapping(void) {
    free(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void free_of_nowhere(void) {
    free((void*)(uintptr_t)0x6261);
}

static void free_of_never_given(void) {
    a = malloc(8100);
    free(a + 8192 * 5);
}

static void interior(void) {
    a = malloc(100);
    free(a + 16);
}

static void interior_unaligned(void) {
    a = malloc(1000);
    free(a + 1);
}

static void interior_of_freed(void) {
    a = malloc(100);
    free(a);
    free(a + 32);
}

static void interior_of_run(void) {
    a = malloc(100000);
    free(a + 65536);
}

static void interior_of_huge(void) {
    a = malloc(9000000);
    free(a + 4194304 + 48);
}

static void interior_realloc(void) {
    a = malloc(100);
    a = realloc(a + 48, 200);
}

static void malloc_delete(void) {
    cxx_delete("_ZdlPv", malloc(10));
}

static void new_free(void) {
    free(cxx_new("_Znwm", 10));
}

static void new_array_delete(void) {
    cxx_delete("_ZdlPv", cxx_new("_Znam", 10));
}

static void new_delete_array(void) {
    cxx_delete("_ZdaPv", cxx_new("_Znwm", 10));
}

static void new_realloc(void) {
    a = realloc(cxx_new("_Znwm", 10), 20);
}

static void sized_free(void) {
    free_by("free_sized", malloc(100), 99);
}

static void sized_delete(void) {
    free_by("_ZdlPvm", cxx_new("_Znwm", 24), 32);
}

static void sized_aligned_delete(void) {
    free_aligned_by("_ZdlPvmSt11align_val_t", cxx_new_aligned("_ZnwmSt11align_val_t", 100, 64), 128, 64);
}

// ---- nothing wrong

static void clean_cxx(void) {
    free_by("_ZdlPvm", cxx_new("_Znwm", 24), 24);
    free_by("_ZdaPvm", cxx_new("_Znam", 0), 0);
    cxx_delete("_ZdlPv", cxx_new("_Znwm", 100000));
    free_aligned_by("_ZdlPvmSt11align_val_t", cxx_new_aligned("_ZnwmSt11align_val_t", 100, 64), 100, 64);
    free_aligned_by("_ZdaPvmSt11align_val_t", cxx_new_aligned("_ZnamSt11align_val_t", 100000, 8192), 100000, 8192);
}

static void clean_c(void) {
    free(NULL);
    free_by("free_sized", calloc(3, 5), 15);
    free_by("free_sized", realloc(malloc(10), 77), 77);
    free_aligned_by("free_aligned_sized", aligned_alloc(64, 128), 64, 128);
    free(valloc(10));
    free(pvalloc(10));
    CHECK(realloc(malloc(10), 0) == NULL, "realloc to nothing");
    volatile size_t too_much = SIZE_MAX - 5;
    errno = 0;
    CHECK(malloc(PTRDIFF_MAX) == NULL && errno == ENOMEM, "malloc(PTRDIFF_MAX)");
    a = malloc(100);
    CHECK(realloc(a, too_much) == NULL && malloc_usable_size(a) == 100, "a block that could not grow");
    memset(a, 1, 100);
    free(a);
}

// Sizes of every kind go through reuse, growth and purging. calloc clears what was poisoned.
static void clean_reuse(void) {
    static const size_t sizes[] = {0, 1, 24, 100, 1000, 8000, 8180, 9000, 100000, 900000, 1100000, 5000000};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    for (int round = 0; round < 60; round++)
        for (int i = 0; i < SIZES; i++) {
            char* p = calloc(1, sizes[i]);
            for (size_t at = 0; at < sizes[i]; at += at < 9000 ? 1 : 4000)
                CHECK(p[at] == 0, "calloc(%zu): byte %zu is %d", sizes[i], at, p[at]);
            memset(p, 'c', sizes[i]);
            p = realloc(p, sizes[i] + (size_t)round * 1000 + 1);
            for (size_t at = 0; at < sizes[i]; at += at < 9000 ? 1 : 4000)
                CHECK(p[at] == 'c', "realloc(%zu): byte %zu is %d", sizes[i], at, p[at]);
            CHECK(malloc_usable_size(p) == sizes[i] + (size_t)round * 1000 + 1, "%zu", malloc_usable_size(p));
            free(p);
            if (i == round % SIZES) malloc_trim(0);
        }
}

// More blocks of zero bytes than there are places without memory; each has its own address, and can be freed.
static void clean_nothing(void) {
    enum { BLOCKS = 70000 };
    char** block = malloc(BLOCKS * sizeof *block);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = malloc(0);
            CHECK(block[i] != NULL && malloc_usable_size(block[i]) == 0, "block %d: %p", i, (void*)block[i]);
            CHECK(i == 0 || block[i] != block[i - 1], "twice %p", (void*)block[i]);
        }
        for (int i = 0; i < BLOCKS; i++) free(block[i]);
    }
    free(block);
    a = realloc(malloc(0), 100);
    memset(a, 1, 100);
    free_by("free_sized", realloc(a, 30), 30);
    free_by("free_sized", malloc(0), 0);
    cxx_delete("_ZdaPv", cxx_new("_Znam", 0));
    free(memalign(4096, 0));
}

// With HAKMEM_GUARD_FILL=1 only.
static void clean_fill(void) {
    static const size_t sizes[] = {1, 100, 5000, 20000, 1000000, 3000000};
    if (getenv("HAKMEM_GUARD_FILL") == NULL) return;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *block = malloc(sizes[i]), *cleared = calloc(1, sizes[i]);
        for (size_t at = 0; at < sizes[i] && at < 1 << 20; at++) CHECK(block[at] == 0xab, "%zu: %#x", at, block[at]);
        for (size_t at = 0; at < sizes[i]; at++) CHECK(cleared[at] == 0, "calloc, %zu: %#x", at, cleared[at]);
        memset(block, 'x', sizes[i]);
        block = realloc(block, sizes[i] + 200);
        CHECK(block[sizes[i] - 1] == 'x', "the old bytes: %#x", block[sizes[i] - 1]);
        if (sizes[i] < 1 << 19) CHECK(block[sizes[i]] == 0xab, "the new bytes: %#x", block[sizes[i]]);
        free(block);
        free(cleared);
    }
}

static void* leave_block(void* place) {
    *(char**)place = malloc(100);
    free(malloc(200));
    return NULL;
}

static void clean_threads_and_fork(void) {
    char* blocks[20];
    for (int i = 0; i < 20; i++) in_thread(leave_block, &blocks[i]);
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    for (int i = 0; i < 20; i++) free(blocks[i]);
    if (pid == 0) exit(0);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child of the fork: %#x", (unsigned)status);
}

#define OF_100 " the 100-byte block "
static const Case cases[] = {
    {"overflow", overflow, "overflow", "free", "wrote 1 byte past the end of" OF_100},
    {"overflow_string", overflow_string, "overflow", "free", "beginning 0 bytes behind it (39 30 31 00 \"901.\")"},
    {"write_to_nothing", write_to_nothing, "", "", ""},
    {"read_of_nothing", read_of_nothing, "", "", ""},
    {"read_of_freed_nothing", read_of_freed_nothing, "", "", ""},
    {"double_free_of_nothing", double_free_of_nothing, "double_free", "free", "called free with the 0-byte block"},
    {"overflow_of_whole_pages", overflow_of_whole_pages, "", "", ""},
    {"overflow_of_whole_pages_of_huge", overflow_of_whole_pages_of_huge, "", "", ""},
    {"overflow_of_whole_units", overflow_of_whole_units, "overflow", "free", "4194304-byte block"},
    {"overflow_by_a_megabyte", overflow_by_a_megabyte, "", "", ""},
    {"overflow_of_a_megabyte", overflow_of_a_megabyte, "", "", ""},
    {"overflow_at_realloc", overflow_at_realloc, "overflow", "realloc", "50000-byte block"},
    {"overflow_of_huge", overflow_of_huge, "overflow", "free", "3000000-byte block"},
    {"overflow_of_aligned", overflow_of_aligned, "overflow", "free", "beginning 2 bytes behind it (7a \"z\")"},
    {"overflow_then_wrong_family", overflow_then_wrong_family, "overflow", "operator_delete", "40-byte block"},
    {"overflow_of_live", overflow_of_live, "overflow", "hak_check", "33-byte block"},
    {"overflow_in_thread", overflow_in_thread, "overflow", "free", "20-byte block"},
    {"underflow", underflow, "underflow", "free", "wrote 4 bytes before the start of the block "},
    {"write_after_free", write_after_free, "write_after_free", "quarantine",
     "beginning 3 bytes from its start (68 db 69"},
    {"write_after_free_at_exit", write_after_free_at_exit, "write_after_free", "quarantine",
     "into the 3000-byte block"},
    {"write_after_free_at_reuse", write_after_free_at_reuse, "write_after_free", "malloc", "into" OF_100},
    {"write_after_free_at_calloc", write_after_free_at_calloc, "write_after_free", "calloc", "into" OF_100},
    {"write_after_free_at_thread_end", write_after_free_at_thread_end, "write_after_free", "quarantine", "into" OF_100},
    {"write_after_free_of_run", write_after_free_of_run, "", "", ""},
    {"read_after_free_of_huge", read_after_free_of_huge, "", "", ""},
    {"realloc_after_free", realloc_after_free, "use_after_free", "realloc", "after it was freed by thread"},
    {"size_after_free", size_after_free, "use_after_free", "malloc_usable_size", "after it was freed by thread"},
    {"old_address_after_realloc", old_address_after_realloc, "use_after_free", "realloc", "64-byte block"},
    {"read_of_purged_huge", read_of_purged_huge, "", "", ""},
    {"read_of_purged_slabs", read_of_purged_slabs, "", "", ""},
    {"double_free", double_free, "double_free", "free", "called free with" OF_100},
    {"double_free_late", double_free_late, "double_free", "free", "after it was freed by thread"},
    {"double_free_of_run", double_free_of_run, "double_free", "free", "70000-byte block"},
    {"double_free_of_huge", double_free_of_huge, "double_free", "free", "7000000-byte block"},
    {"double_free_in_threads", double_free_in_threads, "double_free", "free", "called free with" OF_100},
    {"double_free_at_once", double_free_at_once, "double_free", "free", "called free with" OF_100},
    {"free_of_stack", free_of_stack, "invalid_free", "free", "on the thread's stack"},
    {"free_of_static", free_of_static, "invalid_free", "free", "outside of the heap"},
    {"free_of_mapping", free_of_mapping, "invalid_free", "free", "outside of the heap"},
    {"free_of_nowhere", free_of_nowhere, "invalid_free", "free", "called free with 0x6261,"},
    {"free_of_never_given", free_of_never_given, "invalid_free", "free", "no block of the heap begins there"},
    {"interior", interior, "interior_free", "free", "points 16 bytes into" OF_100},
    {"interior_unaligned", interior_unaligned, "interior_free", "free", "points 1 byte into the 1000-byte block"},
    {"interior_of_freed", interior_of_freed, "interior_free", "free", ", a freed one"},
    {"interior_of_run", interior_of_run, "interior_free", "free", "points 65536 bytes into the 100000-byte block"},
    {"interior_of_huge", interior_of_huge, "interior_free", "free", "points 4194352 bytes into the 9000000-byte block"},
    {"interior_realloc", interior_realloc, "interior_free", "realloc", "points 48 bytes into" OF_100},
    {"malloc_delete", malloc_delete, "mismatched_free", "operator_delete", "came from malloc or its like"},
    {"new_free", new_free, "mismatched_free", "free", "came from new;"},
    {"new_array_delete", new_array_delete, "mismatched_free", "operator_delete", "came from new[];"},
    {"new_delete_array", new_delete_array, "mismatched_free", "operator_delete[]", "came from new;"},
    {"new_realloc", new_realloc, "mismatched_free", "realloc", "came from new;"},
    {"sized_free", sized_free, "wrong_size", "free_sized", "a size of 99 for" OF_100},
    {"sized_delete", sized_delete, "wrong_size", "operator_delete", "a size of 32 for the 24-byte block"},
    {"sized_aligned_delete", sized_aligned_delete, "wrong_size", "operator_delete", "a size of 128 for" OF_100},
    {"clean_cxx", clean_cxx, NULL, NULL, NULL},
    {"clean_c", clean_c, NULL, NULL, NULL},
    {"clean_reuse", clean_reuse, NULL, NULL, NULL},
    {"clean_nothing", clean_nothing, NULL, NULL, NULL},
    {"clean_fill", clean_fill, NULL, NULL, NULL},
    {"clean_threads_and_fork", clean_threads_and_fork, NULL, NULL, NULL},
};

// Every "at pc 0x..." of the line is in this program.
static void check_sites(const Case* c, const char* line) {
    Dl_info here, there;
    CHECK(dladdr(in_static_memory, &here) != 0, "dladdr");
    int sites = 0;
    for (const char* at = line; (at = strstr(at, " at pc ")) != NULL; sites++) {
        at += strlen(" at pc ");
        uintptr_t pc = (uintptr_t)strtoull(at, NULL, 16);
        CHECK(dladdr((void*)pc, &there) != 0 && there.dli_fbase == here.dli_fbase,
              "%s: pc %#lx is not of this program: %s", c->name, (unsigned long)pc, line);
    }
    CHECK(sites > 0, "%s: no program counter: %s", c->name, line);
}

static int run_case(const Case* c, char* said, size_t size) {
    int log = memfd_create("stderr", 0);
    CHECK(log >= 0 && fcntl(log, F_SETFL, O_APPEND) == 0, "no log");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        dup2(log, STDERR_FILENO);
        no_core();
        alarm(20);
        c->run();
        exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    ssize_t length = pread(log, said, size - 1, 0);
    CHECK(length >= 0, "pread");
    said[length] = '\0';
    test_drop_runner_words(said);
    close(log);
    return status;
}

static void verify(const Case* c) {
    char said[8192], begin[128];
    int status = run_case(c, said, sizeof said);
    if (c->check == NULL) {
        CHECK(status == 0 && said[0] == '\0', "%s: status %#x: %s", c->name, (unsigned)status, said);
        return;
    }
    if (*c->check == '\0') {
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%s: status %#x: %s", c->name, (unsigned)status,
              said);
        return;
    }
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%s: status %#x: %s", c->name, (unsigned)status, said);
    snprintf(begin, sizeof begin, "hakmem: check=%s site=%s your program ", c->check, c->site);
    CHECK(strncmp(said, begin, strlen(begin)) == 0, "%s: not \"%s\" but: %s", c->name, begin, said);
    CHECK(strstr(said, c->words) != NULL, "%s: no \"%s\": %s", c->name, c->words, said);
    char* end = strchr(said, '\n');
    CHECK(end != NULL && end[1] == '\0', "%s: not one whole line: %s", c->name, said);
    check_sites(c, said);
}

static bool is_wanted(const Case* c, int argc, char** argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], c->name) == 0) return true;
    return argc == 1;
}

int main(int argc, char** argv) {
    test_start("guard", 0);
    unsigned count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!is_wanted(&cases[i], argc, argv)) continue;
        verify(&cases[i]);
        count++;
    }
    CHECK(count > 0, "no such case");
    test_say("guard: ok, %u cases", count);
    return 0;
}
