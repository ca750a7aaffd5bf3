#include "thread/link.h"

#include "base/fatal.h"
#include "base/text.h"
#include "observe/ring.h"
#include "os/os.h"
#include "superslab/owner_word.h"
#include "superslab/size_class.h"

_Atomic uint64_t hak_link_key;
_Atomic uint64_t hak_link_end = LINK_NEVER;
_Atomic uint64_t hak_link_must_be_zero = LINK_NEVER;
_Atomic uint64_t hak_link_hit_mask = LINK_NEVER;
static _Atomic bool stopped_for_ever;

// So that the upper bits of target - key are LINK_TOP for every target, it must be known whether the difference borrows
// from them. It does if the heap is in the lower half of 48-bit addresses and the lower bits of the key are in the
// upper half, and it does not the other way round. (A heap on both sides of the middle only makes fewer suspects.)
// The upper bits also make a plain pointer or a small number decode to "no block". The lowest four are 1 to 8: a text
// byte, whose lowest bits are mostly 0 to 7, added to them does not give 0.
static uint64_t random_key(void) {
    bool borrows = (hak_heap.base & LINK_HALF) == 0;
    uint64_t top = (borrows ? ~LINK_TOP : 0 - LINK_TOP) & 0xffff;
    return top << LINK_TOP_SHIFT | (borrows ? LINK_HALF : 0) | (os_random() & (LINK_HALF - 16)) | (1 + os_random() % 8);
}

void link_init(bool encoded) {
    uint64_t key = encoded ? random_key() : 0;
    store_relaxed(&hak_link_key, key);
    store_relaxed(&hak_link_end, link_end_with(key));
    store_relaxed(&hak_link_must_be_zero, encoded ? LINK_BITS_NEVER_SET : LINK_NEVER);
    link_let_hits();
}

void link_stop_hits(bool for_ever) {
    if (for_ever) store_relaxed(&stopped_for_ever, true);
    store_relaxed(&hak_link_hit_mask, UINT64_MAX);
}

void link_let_hits(void) {
    if (!load_relaxed(&stopped_for_ever)) store_relaxed(&hak_link_hit_mask, load_relaxed(&hak_link_must_be_zero));
}

// The bound ends the search in a list that a double free made circular.
bool link_list_has(const void* first, uint32_t most, const void* block) {
    const void* at = first;
    for (; at && at != block && most > 1; most--) at = link_read(at);
    return most > 0 && at == block;
}

void link_corrupt(const void* block, uint64_t target) {
    char which[64] = "a free block", size[32] = "";
    uint64_t tag = heap_contains(block) ? word_tag(load_relaxed(&hak_heap.owner[slab_number_of(block)])) : 0;
    if (tag_is_class(tag))
        text_format(size, sizeof size, " of %u bytes", size_of_class((unsigned)(tag / TAG_PER_CLASS)));
    if (block) text_format(which, sizeof which, "free block %p%s", block, size);
    fatal("link", "freelist",
          "the link in %s was overwritten (it decodes to %p): the program wrote to the block after it was freed, freed "
          "it "
          "twice, or wrote past the end of the block before it; 'hakstress run --guard' tells which",
          which, (void*)(uintptr_t)target);
}

void link_note_bad(const void* block, uint64_t target) {
    ring_record(HAK_EVENT_bad_link, block, (uint32_t)slab_number_of(block), target);
}
