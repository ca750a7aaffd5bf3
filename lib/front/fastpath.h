// The hits: a malloc that finds a block in its TLS SLL, a free that puts one there. Everything else is a call.
//
//   hak_malloc(n) ── bin of n ── head? ──yes──> pop: follow the link, room + 1
//                                  └──no──> malloc_refill: refill/refill.h, stage by stage
//                 n > 1 KiB ─────> malloc_above_tiny: the same with a second table up to 16 KiB; page runs; huge blocks
//
//   hak_free(p) ── owner word of p's slab ── a class, and mine or nobody's? ── room? ──yes──> push (tls_sll)
//                                               │                                └──no──> free_over: onto the free list
//                                               │                                         of the slab, which is claimed
//                                               │                                         before (ss_local)
//                                               └──no──> free_slow: into a bundle for its owner (ss_remote);
//                                                        page run, huge, foreign
//
// Thread-safety: the thread's own bins.
// Errors: as in hakmem.h.
#ifndef HAK_FRONT_FASTPATH_H
#define HAK_FRONT_FASTPATH_H

#include "front/free.h"
#include "front/hits.h"
#include "front/malloc.h"
#include "observe/steps.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"

#include <string.h>

HAK_INLINE void* fast_malloc(size_t size) {
    if (HAK_UNLIKELY(size > TINY_MAX)) return malloc_above_tiny(size);
    void* block = bin_pop(fast_bin(load_relaxed(&hak_tag_of_tiny[size])));
    if (HAK_UNLIKELY(block == NULL)) return malloc_refill(size);
    return handed_out(block, size);
}

HAK_INLINE void* fast_calloc(size_t bytes) {
    if (HAK_UNLIKELY(bytes > TINY_MAX)) return malloc_zeroed_above_tiny(bytes);
    void* block = fast_malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

HAK_INLINE void fast_free(void* p) {
    uintptr_t s = slab_number_of(p);
    // NULL, out of the heap, a pointer that no block has, or no free is a hit
    if (HAK_UNLIKELY(s >= load_relaxed(&hak_heap.hit_slabs) || (uintptr_t)p % 16 != 0)) {
        free_slow(p);
        return;
    }
    uint64_t tag = load_relaxed(&hak_heap.owner[s]) & hak_tls.foreign;
    if (HAK_UNLIKELY(tag >= TAG_CLASSES)) {
        free_slow(p);
        return;
    }
    STEP(K0);
    HakTcb* me = hit_begin();
    if (HAK_CHECKED && me == NULL) {
        free_slow(p);
        return;
    }
    TlsBin* bin = fast_bin(tag);
    if (HAK_UNLIKELY(--bin->room < 0)) {
        hit_end(me);
        free_over(p, tag, bin);
        return;
    }
    if (HAK_UNLIKELY(link_looks_free(p))) {
        hit_end(me);
        free_suspected(p, tag);
        return;
    }
    note_free(p, FREE_TLS_SLL);
    bin_push(bin, p);
    hit_end(me);
}

#endif
