#include "refill/bins.h"

#include "slab/remote_free.h"
#include "superslab/heap.h"
#include "thread/tls.h"

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

bool give_back_bins(HakTcb* me, unsigned size_class, Effort* effort) {
    TlsBin* counted = counted_bin(size_class);
    bool all = give_back_bin(me, &hak_tls.bin[size_class], effort);
    if (counted == NULL || bin_first(counted) == NULL) return all;
    // What was drawn ends the list, of which some goes; draws have no memory.
    me->tiny[size_class].profile_left = 0;
    return give_back_bin(me, counted, effort) && all;
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
