// A program that defines a few names of malloc itself: the others are the library's, and must cope with its blocks.
#include "integration/own_malloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char* what, int line) {
    fprintf(stderr, "own_malloc_names.c:%d: %s: %d allocated, %d freed\n", line, what, own_allocated, own_freed);
    _exit(1);
}
#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

// A function that the C library may not have.
static void* optional(const char* name) {
    return dlsym(RTLD_DEFAULT, name);
}

static void blocks_of_the_c_library_grow(void) {
    char *text = strdup("hello"), *line = NULL, *made = NULL;
    size_t room = 0;
    FILE* stream = fopen("/proc/self/maps", "r");
    CHECK(text != NULL && stream != NULL);
    text = reallocarray(text, 100, 3);
    CHECK(strcmp(text, "hello") == 0);
    free(text);
    while (getline(&line, &room, stream) > 0) continue;
    fclose(stream);
    line = reallocarray(line, 10, 1000);
    free(line);
    CHECK(asprintf(&made, "%d", 5) == 1);
    made = reallocarray(made, 4, 5);
    CHECK(strcmp(made, "5") == 0);
    free(made);
}

static void fill(char* p, size_t bytes, unsigned seed) {
    for (size_t i = 0; i < bytes; i++) p[i] = (char)(seed + i * 7);
}

static void expect(const char* p, size_t bytes, unsigned seed) {
    for (size_t i = 0; i < bytes; i++) CHECK(p[i] == (char)(seed + i * 7));
}

static void bytes_are_kept(void) {
    static const size_t sizes[] = {1, 15, 16, 17, 100, 1000, 5000, 70000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int allocated = own_allocated, freed = own_freed;
        char* p = malloc(sizes[i]);
        fill(p, sizes[i], i);
        p = reallocarray(p, 3, sizes[i]);
        CHECK(p != NULL);
        expect(p, sizes[i], i);
        p = realloc(p, sizes[i] / 2 + 1);
        expect(p, sizes[i] / 2 + 1, i);
        free(p);
        CHECK(own_allocated - allocated == own_freed - freed);
    }
}

static void an_overflow_leaves_the_block(void) {
    volatile size_t half = SIZE_MAX / 2;
    char* p = malloc(10);
    fill(p, 10, 3);
    errno = 0;
    CHECK(reallocarray(p, half, 4) == NULL);
    CHECK(errno == ENOMEM);
    expect(p, 10, 3);
    free(p);
}

static void freed_by_other_names(void) {
    void (*cfree_)(void*) = NULL, (*free_sized_)(void*, size_t) = NULL, (*free_aligned_)(void*, size_t, size_t) = NULL;
    *(void**)&cfree_ = optional("cfree");
    *(void**)&free_sized_ = optional("free_sized");
    *(void**)&free_aligned_ = optional("free_aligned_sized");
    int freed = own_freed, expected = 0;
    if (cfree_) cfree_(malloc(100)), expected++;
    if (free_sized_) free_sized_(malloc(100), 100), expected++;
    if (free_aligned_) free_aligned_(malloc(100), 16, 100), expected++;
    if (cfree_) cfree_(NULL);
    CHECK(own_freed - freed == expected);
    if (free_aligned_) {  // a free that does not know it never gets such a block
        free_aligned_(aligned_alloc(4096, 8192), 4096, 8192);
        free_aligned_(aligned_alloc(64, 128), 64, 128);
    }
}

static void usable_size_of_such_a_block(void) {
    char* p = malloc(100);
#if OWN_NAMES == 3
    CHECK(malloc_usable_size(p) == 100);
#else
    if (optional("hak_version")) CHECK(malloc_usable_size(p) == 0);
#endif
    free(p);
    CHECK(malloc_usable_size(NULL) == 0);
    char* aligned = aligned_alloc(256, 512);
    CHECK(aligned != NULL && (uintptr_t)aligned % 256 == 0);
#if OWN_NAMES != 3
    CHECK(malloc_usable_size(aligned) >= 512);
#endif
    memset(aligned, 1, 512);
    void (*give_back)(void*) = NULL;
    *(void**)&give_back = optional("__libc_free");
    if (give_back) give_back(aligned);
}

// Under the C library's names, ours are a malloc of one kind, and a realloc of another that gets none of its blocks.
static void blocks_of_the_library_grow(void) {
    void* (*other_malloc)(size_t) = NULL;
    void* (*other_realloc)(void*, size_t) = NULL;
    void (*other_free)(void*) = NULL;
    *(void**)&other_malloc = optional("__libc_malloc");
    *(void**)&other_realloc = optional("__libc_realloc");
    *(void**)&other_free = optional("__libc_free");
    if (!other_malloc || !other_realloc || !other_free) return;
    int allocated = own_allocated;
    char* p = other_malloc(50);
    fill(p, 50, 1);
    p = other_realloc(p, 5000);
    expect(p, 50, 1);
    other_free(p);
    CHECK(own_allocated == allocated);
}

int main(void) {
    blocks_of_the_c_library_grow();
    bytes_are_kept();
    an_overflow_leaves_the_block();
    freed_by_other_names();
    usable_size_of_such_a_block();
    blocks_of_the_library_grow();
    CHECK(own_wrong == 0);
    return 0;
}
