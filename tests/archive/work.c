// Makes the allocator do what an archive test needs: every kind of block, threads that end, a fork, a check of the
// heap, and statistics. Returns how many things went wrong.
#include <hakmem/hakmem.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int archive_work(void);

enum { BLOCKS = 4000, ROUNDS = 4, THREADS = 3 };

static int is_ours(const void* p) {
    char text[200] = "";
    return hak_describe(p, text, sizeof text) > 0 && strstr(text, "foreign") == NULL;
}

static void* blocks_of_all_sizes(void* result) {
    static __thread void* kept[BLOCKS];
    long wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < BLOCKS; i++) {
            size_t size = i % 40 ? i % 2000 : i * 50;
            kept[i] = round == 1 ? calloc(1, size) : malloc(size);
            wrong += kept[i] == NULL || malloc_usable_size(kept[i]) < size;
            if (size) memset(kept[i], 1, size);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            if (i % 3 == 0) kept[i] = realloc(kept[i], i * 2 + 1);
            free(kept[i]);
        }
    }
    *(long*)result = wrong;
    return NULL;
}

static int of_threads(void) {
    pthread_t threads[THREADS];
    long wrong[THREADS + 1] = {0};
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, blocks_of_all_sizes, &wrong[i]) != 0) return 1;
    blocks_of_all_sizes(&wrong[THREADS]);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return (int)(wrong[0] + wrong[1] + wrong[2] + wrong[3]);
}

static int of_fork(void) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        long wrong = 0;
        blocks_of_all_sizes(&wrong);
        _exit(wrong != 0);
    }
    int status = 1;
    return waitpid(child, &status, 0) != child || status != 0;
}

int archive_work(void) {
    static char json[1 << 16];
    int wrong = of_threads() + of_fork();
    void* small = malloc(100);
    void* large = malloc(3 << 20);
    void* copy = strdup("a block that the C library asks for");
    void* aligned = NULL;
    wrong += posix_memalign(&aligned, 4096, 100) != 0 || (size_t)aligned % 4096 != 0;
    wrong += !is_ours(small) + !is_ours(large) + !is_ours(copy) + !is_ours(aligned);
    wrong += hak_stats_json(json, sizeof json) == 0 || strchr(json, '{') == NULL;
    wrong += hak_check() != 0;
    free(small), free(large), free(copy), free(aligned);
    malloc_trim(0);
    return wrong;
}
