#include "thread/link.h"

#include "base/fatal.h"
#include "observe/ring.h"
#include "os/os.h"

_Atomic uint64_t hak_link_key;
_Atomic uint64_t hak_link_must_be_zero = LINK_END;
_Atomic uint64_t hak_link_hit_mask = LINK_END;
static _Atomic bool hits_stopped;

void link_init(bool encoded) {
    // Bits that no user-space pointer has make a plain pointer or a small number decode to "no block". The lowest four
    // bits are 1 to 8: a text byte, whose lowest bits are mostly 0 to 7, added to them does not give 0.
    uint64_t key = (os_random() & (LINK_END - 16)) | UINT64_C(0x4000000000000000);
    store_relaxed(&hak_link_key, encoded ? key + 1 + os_random() % 8 : 0);
    store_relaxed(&hak_link_must_be_zero, encoded ? LINK_BITS_NEVER_SET : LINK_END);
    if (!load_relaxed(&hits_stopped)) store_relaxed(&hak_link_hit_mask, load_relaxed(&hak_link_must_be_zero));
}

void link_stop_hits(void) {
    store_relaxed(&hits_stopped, true);
    store_relaxed(&hak_link_hit_mask, UINT64_MAX);
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
