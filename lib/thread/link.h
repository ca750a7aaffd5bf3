// The link in the first word of a free block: plain, or encoded with a key that nobody outside the process knows.
//
//   stored word == next ^ key          NULL ends a list
//
// A stray write into a free block decodes to something whose upper bits are no user-space address, or whose lower bits are no
// block boundary; that is seen before the link is followed. With plain links (key 0, mask 0) nothing is checked.
// Thread-safety: the key is fixed before the first block is handed out. Errors: link_corrupt() reports and aborts.
#ifndef HAK_THREAD_LINK_H
#define HAK_THREAD_LINK_H

#include "superslab/heap.h"

#if defined(__x86_64__)
#define LINK_BITS_NEVER_SET UINT64_C(0xffff80000000000f)  // user space ends below bit 47
#else
#define LINK_BITS_NEVER_SET UINT64_C(0xffff00000000000f)  // or below bit 48
#endif

extern HAK_INTERNAL uint64_t hak_link_key;
extern HAK_INTERNAL uint64_t hak_link_must_be_zero;  // bits that no decoded link has
void link_init(bool encoded);

HAK_COLD HAK_NORETURN void link_corrupt(const void* block, uint64_t next);

// Checked build: a plain link that leads out of the heap. Only noted: who follows it faults.
HAK_COLD void link_note_bad(const void* block, uint64_t next);

HAK_INLINE void link_write(void* block, const void* next) {
    *(uint64_t*)block = (uint64_t)(uintptr_t)next ^ hak_link_key;
}

// Whether a decoded link cannot be one.
HAK_INLINE bool link_is_corrupt(uint64_t next) {
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool corrupt;  // the compiler would take two instructions
    __asm__("testq %2, %1" : "=@ccnz"(corrupt) : "m"(hak_link_must_be_zero), "r"(next));
    return corrupt;
#else
    return (next & hak_link_must_be_zero) != 0;
#endif
}

HAK_INLINE void* link_read(const void* block) {
    uint64_t next = *(const uint64_t*)block ^ hak_link_key;
    if (HAK_UNLIKELY(link_is_corrupt(next))) link_corrupt(block, next);
    if (HAK_CHECKED && HAK_UNLIKELY(next != 0 && !heap_contains((const void*)(uintptr_t)next)))
        link_note_bad(block, next);
    return (void*)(uintptr_t)next;
}

#endif
