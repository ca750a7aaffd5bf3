#include "front/block.h"

#include "front/free.h"
#include "slab/run_map.h"
#include "superslab/huge.h"
#include "superslab/page_slots.h"
#include "superslab/size_class.h"

size_t usable_bytes(const void* p) {
    if (!heap_contains(p)) invalid_block(p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the releases in slab_begin, huge_alloc, huge_resize
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag_is_class(tag)) return size_of_class((unsigned)(tag / TAG_PER_CLASS));
    if (tag == TAG_HUGE && p == slab_address(s)) return huge_size(s);
    size_t pages = tag_is_runs(tag) ? run_pages(p) : 0;
    if (pages == 0) invalid_block(p);
    return pages * PAGE_SIZE_BYTES;
}

bool is_block_start(const void* p) {
    if (!heap_contains(p)) return page_is_block_start(p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the releases in slab_begin, huge_alloc, huge_resize
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag == TAG_HUGE) return p == slab_address(s);
    if (tag_is_runs(tag)) return (uintptr_t)p % PAGE_SIZE_BYTES == 0 && run_pages(p) != 0;
    uintptr_t offset = (uintptr_t)p - (uintptr_t)slab_address(s);
    return tag_is_class(tag) && offset % size_of_class((unsigned)(tag / TAG_PER_CLASS)) == 0;
}
