// A list of slabs, linked in both directions by number through their metas: a list of an owner, or of a class in the
// registry.
//
//   first -> s -> ... -> last       prev of the first, and next of the last: 0
//
// Thread-safety: whoever the list belongs to: the owner of the slabs, or the holder of the registry's lock.
// Errors: none.
#ifndef HAK_SLAB_SLAB_LIST_H
#define HAK_SLAB_SLAB_LIST_H

#include "superslab/heap.h"

typedef struct {
    SlabNumber *first, *last;  // last: NULL if it is not kept
} SlabList;

HAK_INLINE void slab_list_push(SlabList list, SlabNumber s) {
    TinySlabMeta* meta = &hak_heap.meta[s];
    meta->prev = 0;
    meta->next = *list.first;
    if (*list.first)
        hak_heap.meta[*list.first].prev = s;
    else if (list.last)
        *list.last = s;
    *list.first = s;
}

HAK_INLINE void slab_list_remove(SlabList list, SlabNumber s) {
    TinySlabMeta* meta = &hak_heap.meta[s];
    if (meta->prev)
        hak_heap.meta[meta->prev].next = meta->next;
    else
        *list.first = meta->next;
    if (meta->next)
        hak_heap.meta[meta->next].prev = meta->prev;
    else if (list.last)
        *list.last = meta->prev;
    meta->next = meta->prev = 0;
}

#endif
