// The hits: a malloc that finds a block in its TLS SLL, a free that puts one there. Everything else is a call.
//
//   hak_malloc(n) ── bin of n ── head? ──yes──> pop: follow the link, room + 1
//                                  └──no──> malloc_refill: refill/refill.h, stage by stage
//                 n > 1 KiB ─────> malloc_above_tiny: the same with a second table up to 16 KiB; page runs; huge blocks
//
//   hak_free(p) ── owner word of p's slab ── a class, and mine or nobody's? ── room? ──yes──> push (tls_sll)
//                                               │                                └──no──> free_over: onto the slab's free list,
//                                               │                                         which is claimed before (ss_local)
//                                               └──no──> free_slow: into a bundle for its owner (ss_remote); page run, huge, foreign
//
// Thread-safety: the thread's own bins. Errors: as in hakmem.h.
#ifndef HAK_FRONT_FASTPATH_H
#define HAK_FRONT_FASTPATH_H

#include "observe/ring.h"
#include "slab/size_class.h"
#include "superslab/heap.h"
#include "superslab/owner_word.h"
#include "thread/operation.h"

HAK_NOINLINE HAK_LINE_START void* malloc_refill(size_t size);
HAK_NOINLINE HAK_LINE_START void* malloc_above_tiny(size_t size);
HAK_NOINLINE HAK_LINE_START void free_over(void* p, uint64_t tag);
HAK_NOINLINE HAK_LINE_START void free_slow(void* p);

// What `way` of a free event and counter says.
typedef enum { FREE_TLS_SLL = 1, FREE_SS_LOCAL, FREE_SS_REMOTE, FREE_RUN, FREE_HUGE } FreeWay;

HAK_INLINE void note_malloc(const void* block, size_t size) {
    if (HAK_CHECKED) ring_record(HAK_EVENT_malloc, block, (uint32_t)slab_number_of(block), size);
}

// The checked build clears the link: a live block carries no pointer of the allocator.
HAK_INLINE void* handed_out(void* block, size_t size) {
    if (HAK_CHECKED && block) {
        if (heap_contains(block)) *(uint64_t*)block = 0;
        note_malloc(block, size);
    }
    return block;
}

HAK_INLINE void note_free(const void* block, FreeWay way) {
    if (!HAK_CHECKED) return;
    ring_record(HAK_EVENT_free, block, (uint32_t)slab_number_of(block), (uint64_t)way);
    if (way == FREE_TLS_SLL) tcb_count(hak_tls.tcb, HAK_C_free_tls_sll);
}

// In the checked build a hit is an operation: a signal handler never meets a bin that is half changed. The release build leaves that
// window open, three or four instructions wide.
HAK_INLINE HakTcb* hit_begin(void) {
    return HAK_CHECKED ? operation_begin() : NULL;
}

HAK_INLINE void hit_end(HakTcb* me) {
    if (HAK_CHECKED) operation_end(me);
}

// The first block, or NULL, in a hit or an operation. The checked build looks at the link as it leaves its block, which the message can
// name then; else it is looked at when its turn comes, as the head.
HAK_INLINE void* bin_take(TlsBin* bin) {
    uint64_t head = bin->head, key = load_relaxed(&hak_link_key), block = head + key;
    if (HAK_UNLIKELY(link_is_no_block(block))) return NULL;
    bin->head = HAK_CHECKED ? link_encode(link_read((void*)(uintptr_t)block)) : link_follow(head, key);
    bin->room++;
    if (block == 0) __builtin_unreachable();  // it was read from
    return (void*)(uintptr_t)block;
}

HAK_INLINE void* bin_pop(TlsBin* bin) {
    HakTcb* me = hit_begin();
    if (HAK_CHECKED && me == NULL) return NULL;
    void* block = bin_take(bin);
    hit_end(me);
    return block;
}

HAK_INLINE void bin_push(TlsBin* bin, void* block) {
    *(uint64_t*)block = bin->head;
    bin->head = link_to_block(block);
}

HAK_INLINE void* fast_malloc(size_t size) {
    if (HAK_UNLIKELY(size > TINY_MAX)) return malloc_above_tiny(size);
    void* block = bin_pop(fast_bin(hak_tag_of_tiny[size]));
    if (HAK_UNLIKELY(block == NULL)) return malloc_refill(size);
    return handed_out(block, size);
}

HAK_INLINE void fast_free(void* p) {
    uintptr_t s = slab_number_of(p);
    if (HAK_UNLIKELY(s >= load_relaxed(&hak_heap.slabs))) {  // NULL and foreign pointers
        free_slow(p);
        return;
    }
    uint64_t tag = load_relaxed(&hak_heap.owner[s]) & hak_tls.foreign;
    if (HAK_UNLIKELY(tag >= TAG_CLASSES)) {
        free_slow(p);
        return;
    }
    HakTcb* me = hit_begin();
    if (HAK_CHECKED && me == NULL) {
        free_slow(p);
        return;
    }
    TlsBin* bin = fast_bin(tag);
    if (HAK_UNLIKELY(--bin->room < 0)) {
        hit_end(me);
        free_over(p, tag);
        return;
    }
    note_free(p, FREE_TLS_SLL);
    bin_push(bin, p);
    hit_end(me);
}

#endif
