// What every test program shares: checks that print what they saw, a seeded generator, and figures of the kernel about
// this process. Nothing here allocates, because that would disturb the allocator under test.
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Ends the process with status 1 after one line with the place, the condition, the values and the seed.
#define CHECK(condition, ...)                                                     \
    do {                                                                          \
        if (!(condition)) test_fail(__FILE__, __LINE__, #condition, __VA_ARGS__); \
    } while (0)

#define TEST_SKIP 77  // meson counts this exit status as skipped

// Remembers the name and prints it with the seed and the allocator in use. With TEST_ALLOCATOR=hakmem in the
// environment, the test fails if libhakmem is not in force: a preload that silently failed must not pass.
void test_start(const char* name, uint64_t seed);
bool test_is_hakmem(void);
void test_fail(const char* file, int line, const char* condition, const char* format, ...)
    __attribute__((format(printf, 4, 5), noreturn));
// Writes a line to stdout at once.
void test_say(const char* format, ...) __attribute__((format(printf, 1, 2)));
// The number argv[i], or `otherwise` if it is missing. Anything else ends with status 2.
uint64_t test_argument(int argc, char** argv, int i, uint64_t otherwise);
uint64_t test_random_seed(void);
// Runs this program anew in this process, with these arguments, of which the first is its name and the last NULL.
// Programs of another processor are run by the command in TEST_RUNNER. Ends with status 127 if that fails.
void test_run_anew(char* const* arguments) __attribute__((noreturn));
// Whether TEST_RUNNER is there: system calls and figures of memory may not be those of a kernel.
bool test_is_emulated(void);
// Takes out what an emulator said of the end of a process: whole lines.
void test_drop_runner_words(char* text);
// A function of libhakmem that the C library does not have; NULL under another allocator.
void* test_symbol(const char* name);
// A counter of libhakmem, by its name in the statistics. For preloaded programs only, one thread at a time.
uint64_t test_counter(const char* name);
// hak_check(), if the allocator is libhakmem: fails on the first violated invariant.
void test_check_heap(void);

typedef struct {
    uint64_t state;
} Random;

uint64_t random_next(Random* random);
// Uniform from 0 to n - 1; n is not 0.
uint64_t random_below(Random* random, uint64_t n);

// A thread with a small stack.
pthread_t test_thread(void* (*body)(void*), void* argument);
// Checks that resident memory has grown by at most `allowed` bytes.
void test_expect_flat(size_t before, size_t allowed, const char* what);

double now_seconds(void);
size_t rss_bytes(void);     // resident memory, exact
size_t mapped_bytes(void);  // address space
void sleep_ms(unsigned ms);

#ifdef __cplusplus
}
#endif

#endif
