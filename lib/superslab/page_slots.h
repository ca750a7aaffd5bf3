// Who gets which slot of the region (superslab/page_region.h). Slots of a shard are of 19 lengths. New ones are made
// until the freed ones of the shard take 2^16 pages of address space; from then on the one that was freed first goes
// first. Huge blocks have no shard.
//
//   shard: a lock, and for each length:   an extent that is being cut | queue of freed slots <- returned by any thread
//          slots of one page that were opened together, and are handed out next
//
// Thread-safety: any thread. A thread uses the first shard from its own on that is not locked, and never waits.
// Errors: no slot if there is no address space, or all shards are locked.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_PAGE_SLOTS_H
#define HAK_SUPERSLAB_PAGE_SLOTS_H

#include "superslab/page_region.h"

#if HAK_CHECKED
// A slot with at least `pages` usable pages, for the caller. pages >= 1. It is closed, or has one page and is open,
// unless `closed` is wanted.
PageSlot page_slot_take(uint32_t shard, uint64_t pages, bool closed);
// Gives back a slot that is closed.
void page_slot_give(PageSlot slot);

// Applies `step` to all locks, around a fork.
void page_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);
// In a copy of the process, before that: gives up what another thread was changing under a lock.
void page_slots_in_child(void);
// Whether a block may start at p.
bool page_is_block_start(const void* p);
// Bytes of the pages that live blocks have.
uint64_t page_open_bytes(void);
#else
HAK_INLINE void page_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    (void)step, (void)fork;
}
HAK_INLINE void page_slots_in_child(void) {
}
HAK_INLINE bool page_is_block_start(const void* p) {
    (void)p;
    return false;
}
HAK_INLINE uint64_t page_open_bytes(void) {
    return 0;
}
#endif
#endif
