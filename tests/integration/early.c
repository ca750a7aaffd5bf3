// A library that allocates while it is loaded, before the program that uses it, and frees while it is unloaded.
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

void early_check(void);

static char* blocks[64];

__attribute__((constructor)) static void load(void) {
    for (size_t i = 0; i < 64; i++) {
        size_t size = (size_t)16 << (i % 16);
        blocks[i] = i % 3 == 0 ? calloc(1, size) : i % 3 == 1 ? malloc(size) : aligned_alloc(256, size);
        if (blocks[i] != NULL) memset(blocks[i], (int)i, size);
    }
}

void early_check(void) {
    for (size_t i = 0; i < 64; i++) {
        size_t size = (size_t)16 << (i % 16);
        CHECK(blocks[i] != NULL, "block %zu was not allocated while loading", i);
        for (size_t at = 0; at < size; at++) CHECK(blocks[i][at] == (char)i, "block %zu lost byte %zu", i, at);
        blocks[i] = realloc(blocks[i], size * 2);
        CHECK(blocks[i] != NULL && blocks[i][size - 1] == (char)i, "realloc of block %zu", i);
    }
}

__attribute__((destructor)) static void unload(void) {
    for (size_t i = 0; i < 64; i++) free(blocks[i]);
    free(malloc(100));
}
