// A program with its own malloc: a preloaded one is never called.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(16) unsigned char pool[1 << 20];
static size_t used;

void* malloc(size_t size) {
    size_t wanted = (size + 31) & ~(size_t)15;
    if (size > sizeof pool || wanted > sizeof pool - used) return NULL;
    size_t* block = (size_t*)(void*)(pool + used);
    *block = size;
    used += wanted;
    return (unsigned char*)block + 16;
}

void free(void* block) {
    (void)block;
}

void* calloc(size_t count, size_t size) {
    return size != 0 && count > sizeof pool / size ? NULL : malloc(count * size);  // the pool begins as zeros
}

void* realloc(void* block, size_t size) {
    void* moved = malloc(size);
    if (moved == NULL || block == NULL) return moved;
    size_t before = *(size_t*)(void*)((unsigned char*)block - 16);
    return memcpy(moved, block, before < size ? before : size);
}

int main(void) {
    void* volatile block = malloc(100);
    free(block);
    free(block);  // nothing happens
    return 0;
}
