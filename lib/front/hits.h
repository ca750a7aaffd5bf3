// What a hit does with a bin: takes its first block, or puts one in front.
// Thread-safety: the thread's own bins.
// Errors: NULL if the bin is empty, or a damaged link ends the list.
#ifndef HAK_FRONT_HITS_H
#define HAK_FRONT_HITS_H

#include "observe/ring.h"
#include "superslab/heap.h"
#include "thread/operation.h"

// The `way` of a free, in events and counters.
typedef enum { FREE_TLS_SLL = 1, FREE_SS_LOCAL, FREE_SS_REMOTE, FREE_RUN, FREE_HUGE, FREE_PAGES } FreeWay;

HAK_INLINE void note_malloc(const void* block, size_t size) {
    if (HAK_CHECKED) ring_record(HAK_EVENT_malloc, block, (uint32_t)slab_number_of(block), size);
}

HAK_INLINE void* handed_out(void* block, size_t size) {
    if (HAK_CHECKED && block) note_malloc(block, size);
    return block;
}

HAK_INLINE void note_free(const void* block, FreeWay way) {
    if (!HAK_CHECKED) return;
    ring_record(HAK_EVENT_free, block, (uint32_t)slab_number_of(block), (uint64_t)way);
    if (way == FREE_TLS_SLL) tcb_count(hak_tls.tcb, HAK_C_free_tls_sll);
}

// In the checked build a hit is an operation: a signal handler never meets a half-changed bin. The release build leaves
// that window open, three or four instructions wide.
HAK_INLINE HakTcb* hit_begin(void) {
    return HAK_CHECKED ? operation_begin() : NULL;
}

HAK_INLINE void hit_end(HakTcb* me) {
    if (HAK_CHECKED) operation_end(me);
}

// The first block, or NULL; in a hit or an operation. The checked build tests the link as soon as it leaves its block,
// which the message can then name. The release build tests it later, as the head.
HAK_INLINE void* bin_take_if(TlsBin* bin, bool only_hits) {
    uint64_t head = bin->head, key = load_relaxed(&hak_link_key), block = head + key;
    if (HAK_UNLIKELY(only_hits ? link_is_no_hit(block) : link_is_no_block(block))) return NULL;
    bin->head = HAK_CHECKED ? link_encode(link_read((void*)(uintptr_t)block)) : link_follow(head, key);
    bin->room++;
    if (block == 0) __builtin_unreachable();  // block was just read from
    link_clear((void*)(uintptr_t)block);
    return (void*)(uintptr_t)block;
}

// For slow paths.
HAK_INLINE void* bin_take(TlsBin* bin) {
    return bin_take_if(bin, false);
}

HAK_INLINE void* bin_pop(TlsBin* bin) {
    HakTcb* me = hit_begin();
    if (HAK_CHECKED && me == NULL) return NULL;
    void* block = bin_take_if(bin, true);
    hit_end(me);
    return block;
}

HAK_INLINE void bin_push(TlsBin* bin, void* block) {
    *(uint64_t*)block = bin->head;
    bin->head = link_to_block(block);
}

#endif
