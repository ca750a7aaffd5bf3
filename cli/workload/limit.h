// The floor of this machine under a workload: malloc is a pop from the thread's own list, free is a push onto it, and
// nothing else. The class of a block is a part of its address, so a free looks up nothing. Blocks never change their
// class. Nothing is given back, and nothing moves between threads. An empty list gets fresh memory. calloc adds a
// memset, and realloc copies only until the block is where it can grow.
// No allocator can do less, except by touching fewer cache lines. No program can use it: a thread that only allocates
// never gets back what others free. So each workload says whether this is a floor for it (`limit` in workload.h).
// Thread-safety: any number of threads; any thread may free a block. Errors: NULL if the address space is used up.
#ifndef HAKSTRESS_WORKLOAD_LIMIT_H
#define HAKSTRESS_WORKLOAD_LIMIT_H

#include <stddef.h>
#include <stdint.h>

enum {
    LIMIT_REGION_BITS = 36,                          // address space of a class
    LIMIT_SMALL = 64,                                // classes of 16 to 1024 bytes, in steps of 16
    LIMIT_STEPS = 8,                                 // classes for each doubling above
    LIMIT_CLASSES = LIMIT_SMALL + 22 * LIMIT_STEPS,  // to 4 GiB
    LIMIT_GROWING = LIMIT_CLASSES,                   // blocks that realloc moved: space for 4 GiB each
};

struct limit_block {
    struct limit_block* next;
};

extern _Thread_local struct limit_block** limit_lists;  // [LIMIT_GROWING + 1]; NULL in a new thread
extern char* limit_base;                                // start of the first class's region

void* limit_malloc_fresh(unsigned class);
void limit_free_first(void* block);  // the first free of a thread
void* limit_calloc(size_t count, size_t size);
void* limit_realloc(void* block, size_t size);

static inline unsigned limit_class(size_t size) {
    if (size <= 16 * LIMIT_SMALL) return size == 0 ? 0 : (unsigned)((size - 1) / 16);
    // 1024 < size: which doubling, and the step in it
    const unsigned shift = 63 - (unsigned)__builtin_clzll(size - 1);
    return LIMIT_SMALL + (shift - 10) * LIMIT_STEPS + (unsigned)((size - 1) >> (shift - 3)) - LIMIT_STEPS;
}

static inline unsigned limit_class_of(const void* block) {
    return (unsigned)((uintptr_t)((const char*)block - limit_base) >> LIMIT_REGION_BITS);
}

static inline void* limit_malloc(size_t size) {
    const unsigned class = limit_class(size);
    if (limit_lists == NULL || limit_lists[class] == NULL) return limit_malloc_fresh(class);
    struct limit_block* block = limit_lists[class];
    limit_lists[class] = block->next;
    return block;
}

static inline void limit_free(void* block) {
    if (block == NULL) return;
    if (limit_lists == NULL) {
        limit_free_first(block);
        return;
    }
    struct limit_block** list = &limit_lists[limit_class_of(block)];
    ((struct limit_block*)block)->next = *list;
    *list = block;
}

static inline void limit_delete(void* block, size_t size) {
    (void)size;
    limit_free(block);
}

#endif
