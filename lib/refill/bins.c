#include "refill/bins.h"

#include "slab/remote_free.h"
#include "superslab/heap.h"

// Cuts blocks off the front of a bin that are in one slab. Neighbours often are, as they come from one refill.
static void* cut_same_slab(TlsBin* bin, void** last, uint32_t* count) {
    enum { MOST = 256 };
    void *first = bin_first(bin), *next = link_read(first);
    SlabNumber s = (SlabNumber)slab_number_of(first);
    *last = first;
    for (*count = 1; next && slab_number_of(next) == s && *count < MOST; ++*count) {
        *last = next;
        next = link_read(next);
    }
    bin->head = link_encode(next);
    bin->room += (int32_t)*count;
    return first;
}

bool give_back_bin(HakTcb* me, TlsBin* bin, Effort* effort) {
    while (bin_first(bin) && !effort_ends(effort)) {
        void* last;
        uint32_t count;
        void* first = cut_same_slab(bin, &last, &count);
        remote_free(me, (SlabNumber)slab_number_of(first), first, last, count);
        effort->left -= EFFORT_SLAB + (int64_t)count * EFFORT_BLOCK;
    }
    return bin_first(bin) == NULL;
}
