// Libraries with thread-local memory of their own are opened late and closed again while many threads use them. Each
// thread's part comes from malloc and is freed at its end; memory stays flat.
//
//   late_tls PLUGIN PLUGIN [ROUNDS]
#include "support/test.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 12, USES = 4 };
typedef unsigned (*Use)(unsigned number);
static Use uses[2];

static void* use_both(void* unused) {
    void* block = malloc(1000);
    for (unsigned n = 0; n < USES; n++)
        for (int i = 0; i < 2; i++) {
            unsigned wrong = uses[i](n);
            CHECK(wrong == 0, "use %u of plugin %d: %u values are wrong", n, i, wrong);
            free(malloc(2000 * (n + 1)));
        }
    free(block);
    return unused;
}

static void* open_plugin(const char* file, int i) {
    void* library = dlopen(file, RTLD_NOW);
    CHECK(library != NULL, "%s", dlerror());
    *(void**)&uses[i] = dlsym(library, "plugin_use");
    CHECK(uses[i] != NULL, "%s", dlerror());
    return library;
}

static void one_round(char** files) {
    pthread_t threads[THREADS];
    void* libraries[2];
    for (int i = 0; i < 2; i++) libraries[i] = open_plugin(files[i], i);
    for (int k = 0; k < THREADS; k++) CHECK(pthread_create(&threads[k], NULL, use_both, NULL) == 0, "pthread_create");
    for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
    for (int i = 0; i < 2; i++) CHECK(dlclose(libraries[i]) == 0, "%s", dlerror());
}

// The least of some rounds: how many threads live at a time decides what one of them leaves.
static size_t least_rss(uint64_t rounds, char** files) {
    size_t least = SIZE_MAX;
    for (uint64_t i = 0; i < rounds; i++) {
        one_round(files);
        malloc_trim(0);
        size_t rss = rss_bytes();
        if (rss < least) least = rss;
    }
    return least;
}

int main(int argc, char** argv) {
    uint64_t rounds = test_argument(argc, argv, 3, 40);
    CHECK(argc > 2, "usage: late_tls PLUGIN PLUGIN [ROUNDS]");
    test_start("late_tls", 0);
    size_t before = least_rss(rounds / 4, argv + 1);
    for (uint64_t i = 0; i < rounds / 2; i++) one_round(argv + 1);
    size_t after = least_rss(rounds / 2, argv + 1);
    test_say("late_tls: least RSS %zu KiB before, %zu KiB after", before >> 10, after >> 10);
    CHECK(after < before + (4 << 20), "memory grows");
    test_check_heap();
    return 0;
}
