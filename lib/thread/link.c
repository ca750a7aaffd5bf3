#include "thread/link.h"

#include "base/fatal.h"
#include "observe/ring.h"
#include "os/os.h"

_Atomic uint64_t hak_link_key;
_Atomic uint64_t hak_link_end = LINK_NEVER;
_Atomic uint64_t hak_link_must_be_zero = LINK_NEVER;
uint32_t hak_suspect_bias, hak_suspect_span;

// The sum of two upper halves lacks the carry of the lower ones, so the span begins one below the heap.
static void suspect_init(uint64_t key) {
    uint64_t first = hak_heap.base >> 32, last = (uintptr_t)unit_address(hak_heap.capacity) >> 32;
    hak_suspect_bias = (uint32_t)(key >> 32) - (uint32_t)first + 1;
    hak_suspect_span = key ? (uint32_t)(last - first) + 2 : 0;
}

void link_init(bool encoded) {
    // Bits that no user-space pointer has make a plain pointer or a small number decode to "no block". The lowest four
    // bits are 1 to 8: a text byte, whose lowest bits are mostly 0 to 7, added to them does not give 0.
    uint64_t key = (os_random() & (LINK_NEVER - 16)) | UINT64_C(0x4000000000000000);
    key = encoded ? key + 1 + os_random() % 8 : 0;
    store_relaxed(&hak_link_key, key);
    store_relaxed(&hak_link_end, link_end_with(key, hak_heap.base));
    store_relaxed(&hak_link_must_be_zero, encoded ? LINK_BITS_NEVER_SET : LINK_NEVER);
    suspect_init(key);
}

// The bound ends the search in a list that a double free made circular.
bool link_list_has(const void* first, uint32_t most, const void* block) {
    const void* at = first;
    for (; at && at != block && most > 1; most--) at = link_read(at);
    return most > 0 && at == block;
}

void link_corrupt(const void* block, uint64_t target) {
    static const char why[] = "something wrote to the block after it was freed, or past the end of the block before it";
    if (block == NULL)
        fatal("link", "freelist", "the link in a free block was overwritten (it decodes to %p): %s",
              (void*)(uintptr_t)target, why);
    fatal("link", "freelist", "the link in free block %p was overwritten (it decodes to %p): %s", block,
          (void*)(uintptr_t)target, why);
}

void link_note_bad(const void* block, uint64_t target) {
    ring_record(HAK_EVENT_bad_link, block, (uint32_t)slab_number_of(block), target);
}
