// Allocates what it then tells: profile WAY
// Each line is NAME ADDRESS LIVE_BLOCKS LIVE_BYTES ALL_BLOCKS ALL_BYTES; ADDRESS: of the function that called malloc.
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __clang__
#define CALLER __attribute__((noinline))
#else
#define CALLER __attribute__((noinline, noclone))
#endif

typedef struct {
    const char* name;
    void* function;
    long live_blocks, live_bytes, all_blocks, all_bytes;
} Truth;

static void got(Truth* truth, size_t size, int kept) {
    truth->all_blocks++, truth->all_bytes += (long)size;
    if (kept) truth->live_blocks++, truth->live_bytes += (long)size;
}

static void* keep[64];  // so that the compiler leaves nothing out

static size_t size_of(unsigned i, size_t least, size_t most) {
    return least + i * 2654435761u % (most - least + 1);
}

#define ALLOCATES(name, call)                                   \
    static CALLER void name(Truth* truth, size_t size, int k) { \
        void* block = call;                                     \
        if (block == NULL) abort();                             \
        memset(block, 1, size < 64 ? size : 64);                \
        keep[k % 64] = block;                                   \
        got(truth, size, k % 3 == 0);                           \
        if (k % 3) free(block);                                 \
    }
ALLOCATES(small, malloc(size))
ALLOCATES(medium, malloc(size))
ALLOCATES(pages, malloc(size))
ALLOCATES(zeroed, calloc(1, size))
ALLOCATES(aligned, aligned_alloc(64, size))
ALLOCATES(recycled, malloc(size))
ALLOCATES(other, malloc(size))

static CALLER void grown(Truth* truth, size_t size, int k) {
    void* block = NULL;
    for (size_t n = size / 4; n <= size; n += size / 4) {
        block = realloc(block, n);
        if (block == NULL) abort();
        got(truth, n, 0);
    }
    keep[k % 64] = block;
    truth->live_blocks++, truth->live_bytes += (long)(size / 4 * 4);
}

// Sizes of which many are resized in place. A block that stays is counted by the malloc that made it.
static CALLER void resized(Truth* truth, size_t size, size_t last) {
    static void* block[4000];
    enum { BLOCKS = sizeof block / sizeof block[0] };
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = malloc(size);
        void* same = realloc(block[i], last);
        if (same == NULL || malloc_usable_size(same) < last) abort();
        bool stayed = same == block[i];
        block[i] = memset(same, 1, last);
        got(truth, size, stayed);
        if (!stayed) got(truth, last, 1);
    }
}

static Truth truths[] = {
    {.name = "small", .function = (void*)small},       {.name = "medium", .function = (void*)medium},
    {.name = "pages", .function = (void*)pages},       {.name = "zeroed", .function = (void*)zeroed},
    {.name = "aligned", .function = (void*)aligned},   {.name = "grown", .function = (void*)grown},
    {.name = "recycled", .function = (void*)recycled}, {.name = "other", .function = (void*)other},
    {.name = "resized", .function = (void*)resized},
};

static void mixed(void) {
    for (int i = 0; i < 150000; i++) small(&truths[0], size_of((unsigned)i, 8, 200), i);
    for (int i = 0; i < 3000; i++) medium(&truths[1], size_of((unsigned)i, 1000, 16000), i);
    for (int i = 0; i < 1500; i++) pages(&truths[2], size_of((unsigned)i, 17000, 60000), i);
    for (int i = 0; i < 9000; i++) zeroed(&truths[3], size_of((unsigned)i, 16, 3000), i);
    for (int i = 0; i < 9000; i++) aligned(&truths[4], size_of((unsigned)i, 1, 40) * 64, i);
    for (int i = 0; i < 400; i++) grown(&truths[5], size_of((unsigned)i, 5, 20) * 4096, i);
}

// Blocks that never leave their bins: nothing is refilled after the first few.
static void bins(void) {
    for (int i = 0; i < 300000; i++) {
        recycled(&truths[6], 96, 3 * i + 1);
        other(&truths[7], 48, 3 * i + 1);
    }
}

static void resizes(void) {
    resized(&truths[8], 4096, 4000);
    resized(&truths[8], 4096, 4096);
    resized(&truths[8], 1000, 900);
    resized(&truths[8], 1000, 400);
    resized(&truths[8], 8192, 8000);
    resized(&truths[8], 12100, 13000);
}

// As setproctitle does in servers: what /proc/PID/environ shows is gone.
static void overwrite_environment(void) {
    for (char** variable = environ; *variable; variable++) memset(*variable, 'x', strlen(*variable));
}

static void tell(void) {
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        const Truth* t = &truths[i];
        if (t->all_blocks == 0) continue;
        printf("%s %p %ld %ld %ld %ld\n", t->name, t->function, t->live_blocks, t->live_bytes, t->all_blocks,
               t->all_bytes);
    }
    fflush(stdout);
}

// The peak is in the past, and the child frees what its parent has allocated.
static void forks(void) {
    static void* block[64];
    for (int i = 0; i < 64; i++) block[i] = memset(malloc(100000), 1, 100000);
    if (fork() == 0) {
        for (int i = 0; i < 64; i++) free(block[i]);
        exit(0);
    }
    wait(NULL);
    for (int i = 0; i < 64; i++) free(block[i]);
}

// Parent and child each go on with what they have.
static void forked(void) {
    for (int i = 0; i < 64; i++) pages(&truths[2], 100000, 3 * i);
    if (fork() == 0) {
        for (int i = 0; i < 32; i++) zeroed(&truths[3], 100000, 3 * i);
        exit(0);
    }
    wait(NULL);
    for (int i = 0; i < 64; i++) aligned(&truths[4], 64, 3 * i + 1);
}

// What is allocated while the profile is off is no part of it. Blocks that were sampled are followed after it. The bins
// change their ways with blocks in them.
static void switched(void) {
    static void* block[20000];
    int (*set)(const char*, const char*) =
        (int (*)(const char*, const char*))(uintptr_t)dlsym(RTLD_DEFAULT, "hak_option_set");
    enum { BLOCKS = sizeof block / sizeof block[0] };
    Truth off = truths[7];
    for (int turn = 0; turn < 6; turn++) {
        if (set == NULL || set("HAKMEM_PROFILE", "0") != 0) abort();
        for (int i = 0; i < BLOCKS; i++) other(&off, size_of((unsigned)i, 1, 4000), 3 * i + 1);
        if (set("HAKMEM_PROFILE", "1") != 0) abort();
        for (int i = 0; i < BLOCKS; i++) recycled(&truths[6], size_of((unsigned)i, 1, 400), 3 * i + 1);
        for (int i = 0; i < BLOCKS; i++) small(&truths[0], 200, 3 * i), block[i] = keep[3 * i % 64];
        if (set("HAKMEM_PROFILE", "0") != 0) abort();
        for (int i = 0; i < BLOCKS; i++) free(block[i]);
    }
    truths[0].live_blocks = truths[0].live_bytes = 0;
}

// Of nothing, blocks are told apart, and counted.
static void nothing(void) {
    void* before = NULL;
    for (int i = 0; i < 100000; i++) {
        small(&truths[0], 0, 3 * i);
        if (keep[3 * i % 64] == before) abort();
        before = keep[3 * i % 64];
    }
}

static void keeps_errno(void) {
    for (int i = 0; i < 20000; i++) {
        errno = EXDEV;
        void* block = i % 3 ? malloc(size_of((unsigned)i, 0, 3000)) : calloc(1, size_of((unsigned)i, 900, 40000));
        void* other_block = aligned_alloc(64, 64);
        block = realloc(block, size_of((unsigned)i, 1, 50000));
        free(other_block);
        free(block);
        if (errno != EXDEV) abort();
    }
}

// Sizes that no memory has, in both ways. The block stays as it is.
static void refused(void) {
    volatile size_t most = SIZE_MAX / 2 - 4096;
    if (malloc(most + 8192)) abort();
    keep[0] = memset(malloc(1 << 20), 1, 1 << 20);
    if (realloc(keep[0], most)) abort();
}

int main(int count, char** arguments) {
    const char* way = count > 1 ? arguments[1] : "mixed";
    if (strcmp(way, "mixed") == 0) mixed();
    if (strcmp(way, "bins") == 0) bins();
    if (strcmp(way, "resizes") == 0) resizes();
    if (strcmp(way, "fork") == 0) forks();
    if (strcmp(way, "forked") == 0) forked();
    if (strcmp(way, "switched") == 0) switched();
    if (strcmp(way, "nothing") == 0) nothing();
    if (strcmp(way, "errno") == 0) keeps_errno();
    if (strcmp(way, "refused") == 0) refused();
    bool waits = strcmp(way, "wait") == 0;
    if (waits || strcmp(way, "busy") == 0 || strcmp(way, "titled") == 0) {
        if (strcmp(way, "titled") == 0) overwrite_environment();
        mixed();
        puts("ready");
        fflush(stdout);
        while (getppid() != 1) {
            if (!waits) free(memset(malloc(5000000), 1, 1));
            usleep(10000);
        }
    }
    tell();
    return 0;
}
