// A malloc that is slower than the one below it, by a few per cent or as SHIM_SPIN says: what compare must notice.
//   SHIM_SPIN=N     turns of a loop at each malloc (default 1)
//   SHIM_CRASH=1    abort in the first malloc after the start of main
//   SHIM_HANG=1     never end: wait in a destructor
//   SHIM_UNSTEADY=1 each process is slower by another factor, drawn at random: no machine to measure on
// It takes its memory from the C library, under the names that are the C library's own.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

__attribute__((constructor)) static void start(void) {
    spin = number("SHIM_SPIN", 1);
    crash = number("SHIM_CRASH", 0) != 0;
    hang = number("SHIM_HANG", 0) != 0;
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
