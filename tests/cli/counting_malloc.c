// A malloc library for tests of the worker. It is the C library's, but a block of SLOW_SIZE bytes takes SLOW_NS
// nanoseconds. C++'s new and sized delete count their calls, and those with a wrong size. The counts are printed at the
// end of the process.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SLOW_SIZE = 4242, SLOW_NS = 50000, HEADER = 16 };

void* __libc_malloc(size_t size);

static unsigned long sized, wrong;  // for tests with one thread

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

__attribute__((visibility("default"))) void* malloc(size_t size) {
    const long long end = now() + SLOW_NS;
    while (size == SLOW_SIZE && now() < end) {}
    return __libc_malloc(size);
}

// operator new(unsigned long)
__attribute__((visibility("default"))) void* _Znwm(size_t size);
void* _Znwm(size_t size) {
    char* block = __libc_malloc(size + HEADER);
    if (block == NULL) abort();
    *(size_t*)(void*)block = size;
    return block + HEADER;
}

// operator delete(void*, unsigned long)
__attribute__((visibility("default"))) void _ZdlPvm(void* block, size_t size);
void _ZdlPvm(void* block, size_t size) {
    char* start = (char*)block - HEADER;
    sized++;
    if (*(size_t*)(void*)start != size) wrong++;
    free(start);
}

__attribute__((destructor)) static void say(void) {
    char line[96];
    int length = snprintf(line, sizeof line, "sized=%lu wrong=%lu\n", sized, wrong);
    if (sized > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) _exit(1);
}
