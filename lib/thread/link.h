// The link in the first word of a free block, and the head of a TLS SLL: plain, or encoded with a key that nobody outside the
// process knows.
//
//   stored == target - key          target: the next block, or LINK_END
//
// The sum of two registers is an address that a load computes on its way, so decoding takes no time in the chain from one malloc to the
// next. A stray write into a free block decodes to something whose upper bits are no user-space address, or whose lower bits are no
// block boundary; that is seen before the link is followed. So is LINK_END: one test serves both. With plain links (key 0) only
// what has the bit of LINK_END is seen.
// Thread-safety: key and mask are fixed before the first block is handed out; until then every test says "no block". Errors:
// link_corrupt() reports and aborts.
#ifndef HAK_THREAD_LINK_H
#define HAK_THREAD_LINK_H

#include "base/atomic.h"
#include "superslab/heap.h"

#define LINK_END (UINT64_C(1) << 63)

#if defined(__x86_64__)
#define LINK_BITS_NEVER_SET UINT64_C(0xffff80000000000f)  // user space ends below bit 47
#else
#define LINK_BITS_NEVER_SET UINT64_C(0xffff00000000000f)  // or below bit 48
#endif
_Static_assert((LINK_BITS_NEVER_SET & LINK_END) != 0, "the end of a list is no block");

// Below LINK_END, so that a head which no thread has set up yet, LINK_END itself, is no block under any key.
extern HAK_INTERNAL _Atomic uint64_t hak_link_key;
extern HAK_INTERNAL _Atomic uint64_t hak_link_must_be_zero;  // bits that no decoded link has
void link_init(bool encoded);

// `block` has the damaged link, which in the release build may have come there from one that was handed out since; NULL: unknown.
HAK_COLD HAK_NORETURN void link_corrupt(const void* block, uint64_t target);

// Checked build: a plain link that leads out of the heap. Only noted: who follows it faults.
HAK_COLD void link_note_bad(const void* block, uint64_t target);

HAK_INLINE uint64_t link_to_block(const void* next) {
    return (uint64_t)(uintptr_t)next - load_relaxed(&hak_link_key);
}

// next may be NULL: the end.
HAK_INLINE uint64_t link_encode(const void* next) {
    return next ? link_to_block(next) : LINK_END - load_relaxed(&hak_link_key);
}

HAK_INLINE uint64_t link_target(uint64_t stored) {
    return stored + load_relaxed(&hak_link_key);
}

// Whether a target cannot be a block: the end of a list, or a damaged link.
HAK_INLINE bool link_is_no_block(uint64_t target) {
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool none;  // the compiler would take two instructions
    __asm__("testq %2, %1" : "=@ccnz"(none) : "m"(hak_link_must_be_zero), "r"(target));
    return none;
#else
    return (target & load_relaxed(&hak_link_must_be_zero)) != 0;
#endif
}

// What stands in the first word of the block at `target`, which `stored` decodes to. Its address is written as a sum that the
// compiler has not formed before, for the load to form it.
HAK_INLINE uint64_t link_follow(uint64_t stored, uint64_t key) {
    __asm__("" : "+r"(stored));
    return *(const uint64_t*)(uintptr_t)(stored + key);
}

// The block that follows, NULL at the end of a list; `block`, where the link stood, is for the message.
HAK_INLINE void* link_decode(uint64_t stored, const void* block) {
    uint64_t target = link_target(stored);
    if (target == LINK_END) return NULL;
    if (HAK_UNLIKELY(link_is_no_block(target))) link_corrupt(block, target);
    // The head of a list was noted when it was read from a block.
    if (HAK_CHECKED && block && HAK_UNLIKELY(target != 0 && !heap_contains((const void*)(uintptr_t)target)))
        link_note_bad(block, target);
    return (void*)(uintptr_t)target;
}

HAK_INLINE void* link_read(const void* block) {
    return link_decode(*(const uint64_t*)block, block);
}

HAK_INLINE void link_write(void* block, const void* next) {
    *(uint64_t*)block = link_encode(next);
}

#endif
