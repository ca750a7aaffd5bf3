#include "front/block.h"

#include "sample/sample.h"
#include "slab/run_map.h"
#include "superslab/huge.h"
#include "superslab/page_slots.h"

size_t block_bytes(const void* p) {
    if (!heap_contains(p)) return 0;
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the releases in slab_begin, huge_alloc, huge_resize
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag_is_class(tag)) return size_of_class((unsigned)(tag / TAG_PER_CLASS));
    if (tag == TAG_HUGE && p == slab_address(s)) return huge_size(s);
    return tag_is_runs(tag) ? run_pages(p) * PAGE_SIZE_BYTES : 0;
}

const char* tag_words(const void* p) {
    const void* plain = (const void*)((uintptr_t)p & (UINTPTR_MAX >> 8));
    return plain != p && is_block_start(plain) ? "; without its uppermost byte it is one: take the tag off before" : "";
}

bool is_block_start(const void* p) {
    if (!heap_contains(p)) return sample_is_block(p) || page_is_block_start(p);
    SlabNumber s = (SlabNumber)slab_number_of(p);
    // pairs with the releases in slab_begin, huge_alloc, huge_resize
    uint64_t tag = word_tag(load_acquire(&hak_heap.owner[s]));
    if (tag == TAG_HUGE) return p == slab_address(s);
    if (tag_is_runs(tag)) return (uintptr_t)p % PAGE_SIZE_BYTES == 0 && run_pages(p) != 0;
    return tag_is_class(tag) && is_start_in_class(p, tag);
}
