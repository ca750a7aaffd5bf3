// The address space of blocks on pages of their own (superslab/page_record.h): a region of extents, which grows as they
// are made. An extent is made for slots of one length, or is part of a huge block. Free extents are used again only
// when much more has been freed since: the search goes round.
//
//   never made or free ──> slots ──> free, if it yielded (page_extent.h)
//   never made or free ──> huge block ──> free
//
// A slot or huge block that nobody uses is closed: by guards in the page table or, if the system has none, by access
// rights.
// Thread-safety: any thread. region_lock is taken inside.
// Errors: false if there is no address space, or if the caller interrupted its own thread inside.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_PAGE_REGION_H
#define HAK_SUPERSLAB_PAGE_REGION_H

#include "base/lock.h"
#include "superslab/page_record.h"

typedef struct {
    HakPageRecord* record;  // NULL: none
    char* first;            // the pages that the block may use
    char* end;
    bool open;  // they are open
} PageSlot;

extern HAK_INTERNAL HakPageRoot hak_page_root;
extern HAK_INTERNAL HakLock region_lock;

enum { PAGES_NO_SHARD = 0xff };  // of huge blocks

// Chooses the place and the bounds, once. page_bytes: of a page, a power of two. The heap must have its place. Holds no
// lock when it is called.
bool page_region_begin(size_t page_bytes, bool at_start);

HAK_INLINE size_t page_bytes(void) {
    return (size_t)1 << hak_page_root.page_shift;
}

HAK_INLINE char* page_down(const void* p) {
    return (char*)((uintptr_t)p & ~(page_bytes() - 1));
}

HAK_INLINE char* page_up(const void* p) {
    return page_down((const char*)p + page_bytes() - 1);
}

// The number of the page in the region.
HAK_INLINE uint64_t page_number(const void* p) {
    return ((uintptr_t)p - load_relaxed(&hak_page_root.base)) >> hak_page_root.page_shift;
}

HAK_INLINE bool page_region_contains(const void* p) {
    // pairs with the release in add_extents
    return page_number(p) / HAK_PAGES_EXTENT < load_acquire(&hak_page_root.extents);
}

HAK_INLINE size_t page_extent_bytes(void) {
    return (size_t)HAK_PAGES_EXTENT << hak_page_root.page_shift;
}

HAK_INLINE char* page_extent_address(uint32_t extent) {
    return (char*)(load_relaxed(&hak_page_root.base) + extent * page_extent_bytes());
}

// The number of the extent around an address in the region.
HAK_INLINE uint32_t page_extent_of(const void* p) {
    return (uint32_t)(page_number(p) / HAK_PAGES_EXTENT);
}

HAK_INLINE HakPageChunk* page_chunk(uint32_t extent) {
    return load_relaxed(&hak_page_root.chunk[extent / HAK_PAGES_CHUNK]);
}

HAK_INLINE HakPageExtent* page_extent(uint32_t extent) {
    return &page_chunk(extent)->extent[extent % HAK_PAGES_CHUNK];
}

// The slot or huge block around any address.
PageSlot page_slot_of(const void* p);
// Slot `index` of an extent of slots.
PageSlot page_slot_at(uint32_t extent, uint32_t index);

// Makes an extent of slots of `stride` pages for a shard.
bool page_extent_make(uint32_t stride, uint8_t shard, uint32_t* extent);
// Makes a huge block of at least `pages` usable pages.
PageSlot page_huge_make(uint64_t pages);
// Makes an extent of slots free for any use. It is closed as a whole, and nobody knows a slot of it any more.
void page_extent_give(uint32_t extent);
// Gives back a huge block that is closed.
void page_huge_give(HakPageRecord* record);

// In a copy of the process where another thread held region_lock.
void page_region_forget_half_done(void);

#endif
