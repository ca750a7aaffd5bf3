#include "refill/bins.h"

#include "slab/remote_free.h"
#include "superslab/heap.h"

// Cuts off the blocks at the front of a list that are in one slab. Neighbours often are, as they come from one refill.
static void* cut_same_slab(void* first, void** last, uint32_t* count) {
    SlabNumber s = (SlabNumber)slab_number_of(first);
    void* next = link_read(first);
    *last = first;
    for (*count = 1; next && slab_number_of(next) == s; ++*count) {
        *last = next;
        next = link_read(next);
    }
    return next;
}

void give_back_bin(HakTcb* me, TlsBin* bin) {
    void* first = bin_first(bin);
    if (first == NULL) return;
    bin->head = link_encode(NULL);
    bin->room = (int32_t)bin->cap;
    while (first) {
        SlabNumber s = (SlabNumber)slab_number_of(first);
        void* last;
        uint32_t count;
        void* next = cut_same_slab(first, &last, &count);
        remote_free(me, s, first, last, count);
        first = next;
    }
}
