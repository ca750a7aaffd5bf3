#include "thread/link.h"

#include "observe/fatal.h"
#include "observe/ring.h"
#include "os/os.h"

uint64_t hak_link_key;
uint64_t hak_link_must_be_zero;

void link_init(bool encoded) {
    // Bits where a user-space pointer has none make sure that an overwritten word cannot decode to one by keeping them.
    hak_link_key = encoded ? os_random() | UINT64_C(0x8000000000000008) : 0;
    hak_link_must_be_zero = encoded ? LINK_BITS_NEVER_SET : 0;
}

void link_corrupt(const void* block, uint64_t next) {
    fatal("link", "freelist",
          "the link in free block %p was overwritten (it decodes to %p): something wrote to the block after it was "
          "freed, "
          "or past the end of the block before it",
          block, (void*)(uintptr_t)next);
}

void link_note_bad(const void* block, uint64_t next) {
    ring_record(HAK_EVENT_bad_link, block, (uint32_t)slab_number_of(block), next);
}
