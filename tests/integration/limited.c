// Under a limit of the process on its address space or its data, everything that fits in sum is served. The heap takes
// little ahead of need. A program that has freed and trimmed its blocks may map as much itself. Before NULL is
// returned, free memory goes back.
//
//   limited KIND        share | trimmed | resized | refused | threads
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

typedef enum __rlimit_resource Resource;

static size_t data_bytes(void) {
    size_t bytes = 0;
    FILE* file = fopen("/proc/self/statm", "r");
    unsigned long pages[6];
    if (file &&
        fscanf(file, "%lu %lu %lu %lu %lu %lu", &pages[0], &pages[1], &pages[2], &pages[3], &pages[4], &pages[5]) == 6)
        bytes = pages[5] * 4096;
    if (file) fclose(file);
    return bytes;
}

// Lets the process have `more` bytes than it has now.
static void limit(Resource resource, size_t more) {
    size_t now = resource == RLIMIT_AS ? mapped_bytes() : data_bytes();
    struct rlimit limit = {now + more, now + more};
    CHECK(setrlimit(resource, &limit) == 0, "setrlimit");
}

static char* taken(size_t size) {
    char* p = t_malloc(size);
    CHECK(p != NULL, "%zu bytes are refused at %zu MiB of address space, %zu of data", size, mapped_bytes() >> 20,
          data_bytes() >> 20);
    *p = 1;
    return p;
}

static void map_as_the_program(size_t bytes) {
    void* p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED, "the program may not map %zu MiB at %zu MiB of address space, %zu of data", bytes >> 20,
          mapped_bytes() >> 20, data_bytes() >> 20);
    CHECK(munmap(p, bytes) == 0, "munmap");
}

// --- the sum fits

enum { BLOCK = 8192, BLOCKS_MOST = 200000 };
static char* blocks[BLOCKS_MOST];

static void share(Resource resource, size_t amount) {
    size_t own = 200 * MIB, slack = amount / 16 + 12 * MIB;
    limit(resource, amount + own + slack);
    for (size_t i = 0; i < amount / BLOCK; i++) blocks[i] = taken(BLOCK);
    map_as_the_program(own);
}

// --- what was freed and trimmed is the program's

static void trimmed(Resource resource, size_t amount) {
    limit(resource, amount + amount / 8 + 8 * MIB);
    for (int round = 0; round < 3; round++) {
        size_t i = 0;
        for (; i < amount / 2 / BLOCK; i++) blocks[i] = taken(BLOCK);
        for (size_t bytes = 0; bytes < amount / 2; bytes += 3 * MIB + 5000) blocks[i++] = taken(3 * MIB + 5000);
        while (i > 0) t_free(blocks[--i]);
        t_trim(0);
        map_as_the_program(amount);
    }
}

// --- a block that grows by moving

static void resized(Resource resource, size_t amount) {
    enum { STEPS = 24 };
    limit(resource, amount + STEPS * 4 * MIB + 40 * MIB);
    size_t size = 2 * MIB;
    char* p = taken(size);
    memset(p, 'x', size);
    for (size_t i = 0; size < amount && i < STEPS; i++) {
        blocks[i] = taken(2 * MIB);  // stands behind it
        size += MIB + size / 4;
        if (size > amount) size = amount;
        char* moved = t_realloc(p, size);
        CHECK(moved != NULL, "realloc to %zu MiB is refused at %zu MiB of address space, %zu of data", size >> 20,
              mapped_bytes() >> 20, data_bytes() >> 20);
        p = moved;
        p[size - 1] = 'y';
        for (size_t at = 0; at < 2 * MIB; at += 4096) CHECK(p[at] == 'x', "byte %zu was lost", at);
    }
    t_free(p);
    for (size_t i = 0; i < STEPS; i++) t_free(blocks[i]);
    t_trim(0);
    map_as_the_program(amount);
}

// --- a refusal, and what is possible afterwards

static void refused(Resource resource, size_t amount) {
    limit(resource, amount);
    for (int round = 0; round < 3; round++) {
        size_t i = 0;
        size_t size = round == 0 ? 5000 : round == 1 ? 100000 : MIB + 70000;
        while (i < BLOCKS_MOST && (blocks[i] = t_malloc(size)) != NULL) {
            memset(blocks[i], 1, size);
            i++;
        }
        CHECK(errno == ENOMEM, "%zu bytes gave NULL", size);
        CHECK(i * size > amount * 3 / 4, "only %zu MiB of %zu were to be had in blocks of %zu bytes", i * size >> 20,
              amount >> 20, size);
        // every other one goes, but nothing else
        for (size_t k = 0; k < i; k += 2) t_free(blocks[k]);
        for (size_t k = 1; k < i; k += 2) t_free(blocks[k]);
        char* p = taken(amount * 3 / 4);  // all of it together, without a trim
        t_free(p);
    }
}

// --- several threads at once

static void* fill(void* argument) {
    size_t* amount = argument;
    char* mine[2000];
    size_t count = 0;
    for (size_t bytes = 0; bytes < *amount; bytes += 65000) mine[count++] = taken(65000);
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < count; i++) {
            t_free(mine[i]);
            mine[i] = taken(65000 - 2000 * (i % 20));
        }
    for (size_t i = 0; i < count; i++) t_free(mine[i]);
    return NULL;
}

static void threads(Resource resource, size_t amount) {
    enum { THREADS = 8 };
    pthread_t thread[THREADS];
    size_t each = amount / THREADS, own = 100 * MIB;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    limit(resource, amount + own + amount / 8 + THREADS * 3 * MIB);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&thread[i], &attributes, fill, &each) == 0, "pthread_create");
    map_as_the_program(own);
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    t_trim(0);
    map_as_the_program(amount + own);
}

static void in_child(void (*run)(Resource, size_t), Resource resource, size_t amount) {
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        run(resource, amount);
        test_check_heap();
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    CHECK(status == 0, "%s, %zu MiB: wait status %#x", resource == RLIMIT_AS ? "RLIMIT_AS" : "RLIMIT_DATA",
          amount >> 20, (unsigned)status);
}

int main(int argc, char** argv) {
    static const struct {
        const char* name;
        void (*run)(Resource, size_t);
    } kinds[] = {
        {"share", share}, {"trimmed", trimmed}, {"resized", resized}, {"refused", refused}, {"threads", threads}};
    static const size_t amounts[] = {20 * MIB, 70 * MIB, 130 * MIB, 270 * MIB, 400 * MIB, 540 * MIB};
    const char* name = argc > 1 ? argv[1] : "share";
    test_start("limited", 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) != 0) continue;
        for (size_t k = 0; k < sizeof amounts / sizeof *amounts; k++) {
            in_child(kinds[i].run, RLIMIT_AS, amounts[k]);
            in_child(kinds[i].run, RLIMIT_DATA, amounts[k]);
        }
        test_say("limited: ok");
        return 0;
    }
    return 2;
}
