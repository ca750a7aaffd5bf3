#include "refill/bins.h"

#include "slab/remote_free.h"
#include "superslab/heap.h"
#include "thread/tls.h"

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

void give_back_bins(HakTcb* me, unsigned size_class) {
    TlsBin* counted = counted_bin(size_class);
    give_back_bin(me, &hak_tls.bin[size_class]);
    if (counted == NULL || bin_first(counted) == NULL) return;
    give_back_bin(me, counted);
    // What was drawn ends the list that has gone; draws have no memory.
    me->tiny[size_class].profile_left = 0;
}

uint32_t bin_split(TlsBin* from, TlsBin* to, uint32_t most) {
    int32_t blocks = (int32_t)bin_blocks(from);  // in a handler that interrupted a hit it may be off by one
    if (blocks <= 0 || most == 0 || bin_first(from) == NULL) return 0;
    if (blocks <= (int32_t)most) {
        bin_move(from, to);
        return (uint32_t)blocks;
    }
    uint64_t head = from->head;
    void* last = bin_first(from);
    int32_t moved = 1;
    for (void* next; moved < (int32_t)most && (next = link_read(last)) != NULL; moved++) last = next;
    from->head = link_encode(link_read(last));
    from->room += moved;
    link_write(last, NULL);
    *to = (TlsBin){.head = head, .room = 0, .cap = (uint16_t)moved};
    return (uint32_t)moved;
}

void bin_join(TlsBin* from, TlsBin* to) {
    void *first = bin_first(from), *last = first;
    int32_t blocks = 1;
    if (first == NULL) return;
    for (void* next; (next = link_read(last)) != NULL; blocks++) last = next;
    if (to->cap == 0) *to = bin_empty();
    from->head = link_encode(NULL);
    from->room = (int32_t)from->cap;
    *(uint64_t*)last = to->head;
    to->head = link_to_block(first);
    to->room -= blocks;
}
