// A malloc that is slower than the one below it, by a few per cent or as SHIM_SPIN says: compare must notice it.
//   SHIM_SPIN=N     turns of a loop at each malloc (default 1)
//   SHIM_KEEP=KIB   this much more memory in use
//   SHIM_CRASH=1    aborts in the first malloc after the start of main
//   SHIM_CRASH=timed  the same, only in the run for latencies
//   SHIM_HANG=1     never ends: waits in a destructor
//   SHIM_ALTERNATE=FILE  only every second process is slower, by the length of this file
//   SHIM_UNSTEADY=1 each process is slower by another random factor, as on a machine that is too noisy to measure on
// It takes its memory from the C library, under the C library's own names.
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void* __libc_malloc(size_t size);
void __libc_free(void* block);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);

static unsigned spin;
static int crash, hang;

static unsigned number(const char* name, unsigned standard) {
    const char* text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : standard;
}

static int is(const char* name, const char* word) {
    const char* text = getenv(name);
    return text != NULL && strcmp(text, word) == 0;
}

static int runs(const char* program) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char* slash = strrchr(path, '/');
    return slash != NULL && strcmp(slash + 1, program) == 0;
}

// The number of processes before this one: each has left a byte.
static long before(const char* path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0 || write(file, "x", 1) != 1) abort();
    long length = (long)lseek(file, 0, SEEK_CUR);
    close(file);
    return length - 1;
}

static void keep(size_t bytes) {
    void* kept = bytes != 0 ? __libc_malloc(bytes) : NULL;
    if (kept != NULL) memset(kept, 1, bytes);
    __asm__ volatile("" ::"r"(kept) : "memory");
}

__attribute__((constructor)) static void start(void) {
    keep((size_t)number("SHIM_KEEP", 0) << 10);
    spin = number("SHIM_SPIN", 1);
    crash = number("SHIM_CRASH", 0) != 0 || (is("SHIM_CRASH", "timed") && runs("hakstress-worker-timed"));
    hang = number("SHIM_HANG", 0) != 0;
    const char* alternate = getenv("SHIM_ALTERNATE");
    if (alternate != NULL && before(alternate) % 2 == 0) spin = 0;
    struct timespec now;
    if (number("SHIM_UNSTEADY", 0) != 0 && clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        spin = (unsigned)((uint64_t)now.tv_nsec * 2654435761u % 1009);
}

__attribute__((destructor)) static void end(void) {
    while (hang) pause();
}

void* malloc(size_t size) {
    if (crash) abort();
    for (unsigned i = 0; i < spin; i++) __asm__ volatile("" ::: "memory");
    return __libc_malloc(size);
}

void free(void* block) {
    __libc_free(block);
}

void* calloc(size_t count, size_t size) {
    return __libc_calloc(count, size);
}

void* realloc(void* block, size_t size) {
    return __libc_realloc(block, size);
}
