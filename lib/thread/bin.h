// A bin, or TLS SLL: the blocks of one size class that a thread has at hand. It is in the thread's TLS (thread/tls.h).
// When the thread ends, it may be parked in the TCB for the next thread (refill/parked.h).
//
//   head -> block -> block -> end       room = blocks that may still be freed into it (malloc +1, free -1)
//   blocks in the list == cap - room; room < 0 where a remote stack was taken whole
//
// Thread-safety: the thread's own.
// Errors: a damaged link aborts.
#ifndef HAK_THREAD_BIN_H
#define HAK_THREAD_BIN_H

#include "config/options.h"
#include "thread/link.h"

// The cap of a new bin. Each block may be the last one in use of its slab, and pin it while the thread sleeps.
enum { BIN_FIRST_CAP = 32 };

typedef struct {
    uint64_t head;  // stored like the link of a block; while cap == 0 it has no meaning, but is no block
    int32_t room;
    uint16_t cap;    // 0: the class was not used yet, or HAKMEM_TINY_FAST_CAP=0
    uint16_t batch;  // blocks that the next refill asks for: doubled each time, so that a short-lived thread takes few
} TlsBin;
_Static_assert(sizeof(TlsBin) == 16, "a tag is the offset of its bin");

// A closed bin: it has no room until the thread uses the class.
HAK_INLINE TlsBin bin_closed(void) {
    return (TlsBin){.head = link_encode(NULL)};
}

HAK_INLINE TlsBin bin_empty(void) {
    enum { FIRST_BATCH = 16 };
    int64_t option = hak_option(fast_cap);
    uint32_t cap = option < 0 ? BIN_FIRST_CAP : (uint32_t)option;
    return (TlsBin){.head = link_encode(NULL),
                    .room = (int32_t)cap,
                    .cap = (uint16_t)cap,
                    .batch = (uint16_t)(cap < FIRST_BATCH ? cap : FIRST_BATCH)};
}

// The first block, or NULL. Aborts if the link to it is damaged.
HAK_INLINE void* bin_first(const TlsBin* bin) {
    return bin->cap == 0 ? NULL : link_decode(bin->head, NULL);
}

HAK_INLINE uint32_t bin_blocks(const TlsBin* bin) {
    return (uint32_t)(bin->cap - bin->room);
}

// Moves all blocks to another bin, which is empty. First they leave the one list: no handler finds a block in both.
HAK_INLINE void bin_move(TlsBin* from, TlsBin* to) {
    uint64_t head = from->head;
    to->cap = (uint16_t)(from->cap - from->room);
    to->room = 0;
    from->head = link_encode(NULL);
    from->room = (int32_t)from->cap;
    to->head = head;
}

HAK_INLINE bool bin_has(const TlsBin* bin, const void* block) {
    return link_list_has(bin_first(bin), bin_blocks(bin), block);
}

#endif
