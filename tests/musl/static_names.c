// A static program that links libhakmem.a: malloc is the archive's, also where the C library calls it, and so is what
// frees. Threads, a fork and the destructors of keys work.
#include "support/test.h"

#include <hakmem/hakmem.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t allocated(void) {
    hak_stats_t stats;
    CHECK(hak_stats(&stats, sizeof stats) == 0, "statistics");
    return stats.allocated;
}

static void names_are_ours(void) {
    enum { BYTES = 3 << 20 };
    size_t before = allocated();
    char *plain = malloc(BYTES), *zeroed = calloc(3, 1 << 20), *aligned = aligned_alloc(1 << 16, BYTES);
    CHECK(plain && zeroed && aligned, "three blocks");
    CHECK(allocated() >= before + 3 * (size_t)BYTES, "%zu bytes more", allocated() - before);
    CHECK(malloc_usable_size(plain) >= BYTES && (uintptr_t)aligned % (1 << 16) == 0, "size and alignment");
    plain = realloc(plain, 2 * (size_t)BYTES);
    free(plain);
    free(zeroed);
    free(aligned);
    CHECK(allocated() < before + BYTES, "they are free");
}

static void library_uses_ours(void) {
    size_t before = allocated(), room = 0;
    char *line = NULL, *copy = strdup("a text of some length, so that it is a block");
    FILE* stream = tmpfile();
    CHECK(stream != NULL && fprintf(stream, "%0100000d\n", 1) == 100001 && fseek(stream, 0, SEEK_SET) == 0, "a file");
    CHECK(getline(&line, &room, stream) == 100001, "a line");
    CHECK(allocated() >= before + 100000, "the line is a block of ours");
    fclose(stream);
    free(line);
    free(copy);
}

static pthread_key_t key;
static _Atomic unsigned ended;

static void at_end(void* block) {
    free(block);
    free(malloc(100));
    ended++;
}

static void* thread(void* unused) {
    for (int i = 0; i < 10000; i++) free(malloc((size_t)i % 2000));
    pthread_setspecific(key, malloc(500));
    return unused;
}

static void threads_begin_and_end(void) {
    enum { THREADS = 100 };
    CHECK(pthread_key_create(&key, at_end) == 0, "a key");
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_t one = test_thread(thread, NULL);
        CHECK(pthread_join(one, NULL) == 0, "join");
    }
    CHECK(ended == THREADS, "%u of %d ended", ended, THREADS);
}

static void forks(void) {
    pid_t child = fork();
    int status;
    if (child == 0) {
        threads_begin_and_end();
        _exit(hak_check() == 0 ? 0 : 3);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0, "wait status %#x", (unsigned)status);
}

int main(void) {
    names_are_ours();
    library_uses_ours();
    forks();
    threads_begin_and_end();
    CHECK(hak_check() == 0, "the heap");
    return 0;
}
