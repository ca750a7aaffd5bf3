#include "integration/own_malloc.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OWN_HEAD = 16 };
#define OWN_LIVE UINT64_C(0x6c69766520626c6b)
#define OWN_DEAD UINT64_C(0x6465616420626c6b)

typedef struct {
    size_t size;
    uint64_t mark;
} OwnHead;

int own_allocated, own_freed, own_wrong;

static OwnHead* own_head(void* p) {
    return (OwnHead*)(void*)((char*)p - OWN_HEAD);
}

#ifdef OWN_WRAPS
static void* own_memory(size_t bytes) {
    static void* (*next)(size_t);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "malloc");
    return next(bytes);
}

static void own_give_back(void* p) {
    static void (*next)(void*);
    if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "free");
    next(p);
}
#else
static char own_pool[16 << 20] __attribute__((aligned(16)));
static size_t own_used;

static void* own_memory(size_t bytes) {
    size_t whole = (bytes + 15) & ~(size_t)15, at = __sync_fetch_and_add(&own_used, whole);
    return at + whole <= sizeof own_pool ? own_pool + at : NULL;
}

static void own_give_back(void* p) {
    (void)p;
}
#endif

void* malloc(size_t size) {
    OwnHead* head = (OwnHead*)own_memory(size + OWN_HEAD);
    if (head == NULL) return NULL;
    head->size = size;
    head->mark = OWN_LIVE;
    own_allocated++;
    return (char*)head + OWN_HEAD;
}

void free(void* p) {
    if (p == NULL) return;
    if (own_head(p)->mark != OWN_LIVE) {
        static const char words[] = "own_malloc: free of what malloc did not give\n";
        own_wrong++;
        if (write(STDERR_FILENO, words, sizeof words - 1) < 0) _exit(3);
        return;
    }
    own_head(p)->mark = OWN_DEAD;
    own_freed++;
    own_give_back(own_head(p));
}

#if OWN_NAMES == 3
size_t malloc_usable_size(void* p) {
    return p ? own_head(p)->size : 0;
}
#elif OWN_NAMES == 4
void* calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void* p = malloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

void* realloc(void* p, size_t size) {
    void* moved = malloc(size);
    if (p == NULL || moved == NULL) return moved;
    size_t old = own_head(p)->size;
    memcpy(moved, p, old < size ? old : size);
    free(p);
    return moved;
}
#endif
