#include "support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef TEST_LINKED
#include <hakmem/hakmem.h>
#endif

static const char* test_name = "test";
static uint64_t test_seed;

static void write_all(int fd, const char* text, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno != EINTR) return;
        if (n > 0) text += n, length -= (size_t)n;
    }
}

static void write_line(int fd, char* line, size_t size, int length) {
    size_t n = (size_t)length < size - 1 ? (size_t)length : size - 2;
    line[n] = '\n';
    write_all(fd, line, n + 1);
}

void test_say(const char* format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    write_line(STDOUT_FILENO, line, sizeof line, length);
}

void test_fail(const char* file, int line_number, const char* condition, const char* format, ...) {
    int error = errno;
    char values[512];
    va_list args;
    va_start(args, format);
    vsnprintf(values, sizeof values, format, args);
    va_end(args);
    char line[1024];
    int length = snprintf(line, sizeof line, "%s: FAILED at %s:%d: %s: %s (errno %d, seed %llu, pid %d)", test_name,
                          file, line_number, condition, values, error, (unsigned long long)test_seed, (int)getpid());
    write_line(STDERR_FILENO, line, sizeof line, length);
    // TEST_ABORT leaves a core dump, or stops in a debugger
    if (getenv("TEST_ABORT")) abort();
    _exit(1);
}

#ifdef TEST_LINKED
bool test_is_hakmem(void) {
    return true;
}

void* test_symbol(const char* name) {
    (void)name;
    return NULL;
}

void test_check_heap(void) {
    size_t violations = hak_check();
    CHECK(violations == 0, "hak_check found %zu violations", violations);
}
#else
bool test_is_hakmem(void) {
    return dlsym(RTLD_DEFAULT, "hak_version") != NULL;
}

void* test_symbol(const char* name) {
    return dlsym(RTLD_DEFAULT, name);
}

uint64_t test_counter(const char* name) {
    static char text[65536];
    size_t (*stats_json)(char*, size_t) = NULL;
    char key[64];
    void* symbol = test_symbol("hak_stats_json");
    CHECK(symbol != NULL, "no hak_stats_json: run this under libhakmem");
    memcpy(&stats_json, &symbol, sizeof stats_json);  // C11 has no cast from an object pointer to a function pointer
    size_t length = stats_json(text, sizeof text);
    CHECK(length < sizeof text, "hak_stats_json wants %zu bytes", length);
    snprintf(key, sizeof key, "\"%s\":", name);
    const char* at = strstr(text, key);
    CHECK(at != NULL, "no counter %s in %s", name, text);
    return strtoull(at + strlen(key), NULL, 10);
}

void test_check_heap(void) {
    size_t (*check)(void) = NULL;
    void* symbol = test_symbol("hak_check");
    CHECK(symbol != NULL || !test_is_hakmem(), "libhakmem without hak_check");
    if (symbol == NULL) return;
    memcpy(&check, &symbol, sizeof check);  // C11 has no cast from an object pointer to a function pointer
    size_t violations = check();
    CHECK(violations == 0, "hak_check found %zu violations", violations);
}
#endif

void test_start(const char* name, uint64_t seed) {
    test_name = name;
    test_seed = seed;
    const char* wanted = getenv("TEST_ALLOCATOR");
    bool hakmem = test_is_hakmem();
    test_say("%s: seed %llu, allocator %s", name, (unsigned long long)seed, hakmem ? "libhakmem" : "another one");
    CHECK(wanted == NULL || strcmp(wanted, "hakmem") != 0 || hakmem,
          "TEST_ALLOCATOR=hakmem, but libhakmem is not loaded (LD_PRELOAD=%s)",
          getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "");
}

bool test_is_emulated(void) {
    return getenv("TEST_RUNNER") != NULL;
}

void test_drop_runner_words(char* text) {
    static const char words[] = "qemu: ";
    while (*text != '\0') {
        char* end = strchr(text, '\n');
        char* next = end != NULL ? end + 1 : text + strlen(text);
        if (strncmp(text, words, sizeof words - 1) == 0)
            memmove(text, next, strlen(next) + 1);
        else
            text = next;
    }
}

// What the command itself must not load is left to it to pass on, in the way of qemu's.
static void leave_preload_to_runner(void) {
    char setting[4096];
    const char* preload = getenv("LD_PRELOAD");
    if (preload == NULL) return;
    snprintf(setting, sizeof setting, "LD_PRELOAD=%s", preload);
    setenv("QEMU_SET_ENV", setting, 1);
    unsetenv("LD_PRELOAD");
}

void test_run_anew(char* const* arguments) {
    enum { WORDS = 32 };
    static char words[1024], self[1024];
    char* all[WORDS + 1] = {0};
    const char* runner = getenv("TEST_RUNNER");
    if (runner == NULL) execv("/proc/self/exe", arguments);
    if (runner == NULL || readlink("/proc/self/exe", self, sizeof self - 1) < 0) _exit(127);
    snprintf(words, sizeof words, "%s", runner);
    size_t count = 0;
    for (char* word = strtok(words, " "); word != NULL && count < WORDS; word = strtok(NULL, " ")) all[count++] = word;
    if (count < WORDS) all[count++] = self;
    for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL && count < WORDS; i++) all[count++] = arguments[i];
    leave_preload_to_runner();
    execvp(all[0], all);
    _exit(127);
}

uint64_t test_argument(int argc, char** argv, int i, uint64_t otherwise) {
    if (i >= argc) return otherwise;
    char* end;
    errno = 0;
    unsigned long long n = strtoull(argv[i], &end, 0);
    if (errno != 0 || end == argv[i] || *end != 0) {
        fprintf(stderr, "%s: argument %d: \"%s\" is no number\n", argv[0], i, argv[i]);
        exit(2);
    }
    return n;
}

uint64_t test_random_seed(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    Random random = {(uint64_t)t.tv_nsec ^ ((uint64_t)t.tv_sec << 20) ^ (uint64_t)getpid()};
    return random_next(&random) % 1000000000;
}

// splitmix64: S. Vigna, public domain
uint64_t random_next(Random* random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(Random* random, uint64_t n) {
    return random_next(random) % n;
}

double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void sleep_ms(unsigned ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}

// The number behind `key` in a file of /proc; in bytes if the file says kB.
static size_t proc_value(const char* path, const char* key) {
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "cannot open %s", path);
    size_t length = 0;
    for (ssize_t n; length < sizeof text - 1 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    close(fd);
    text[length] = 0;
    const char* at = strstr(text, key);
    CHECK(at != NULL, "no %s in %s", key, path);
    return (size_t)strtoull(at + strlen(key), NULL, 10) * 1024;
}

// Not statm: its counters are kept for each CPU and may lag by megabytes.
size_t rss_bytes(void) {
    return proc_value("/proc/self/smaps_rollup", "\nRss:");
}

size_t mapped_bytes(void) {
    return proc_value("/proc/self/status", "\nVmSize:");
}

pthread_t test_thread(void* (*body)(void*), void* argument) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    int error = pthread_create(&thread, &attributes, body, argument);
    CHECK(error == 0, "pthread_create gave %d", error);
    pthread_attr_destroy(&attributes);
    return thread;
}

void test_expect_flat(size_t before, size_t allowed, const char* what) {
    size_t after = rss_bytes();
    test_say("%s: RSS %zu KiB before, %zu KiB after", what, before >> 10, after >> 10);
    CHECK(after <= before + allowed, "%s: RSS grew from %zu to %zu bytes, allowed are %zu more", what, before, after,
          allowed);
}
