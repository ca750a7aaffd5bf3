// The link in the first word of a free block, and the head of a TLS SLL. Plain, or encoded with a key that nobody
// outside the process knows.
//
//   stored == target - key          target: the next block, or the end of the list
//
//   63              48 47                         0
//   | LINK_TOP        | differs in each process   |      every encoded link
//
// A load computes the sum of two registers as its address, so decoding adds no latency between one malloc and the next.
// After a stray write into a free block, the link decodes to something with upper bits that no user-space address has,
// or lower bits that no block has. One test finds this before the link is followed, and also finds the end of the list.
// With plain links (key 0), only a target with the bit of LINK_NEVER is found.
//
// A block that is handed out has no link any more. So a block that begins with one is a suspect: it may be free
// already. A free reads the uppermost two bytes alone, because programs often write the first ones and free the block
// at once, and a processor cannot forward a narrower store to a wider load.
// Source: D. Leijen, mimalloc, whose debug build asks whether a first word decodes to a pointer.
// Thread-safety: all is fixed before the first block is handed out; until then every test says "no block".
// Errors: link_corrupt() reports and aborts.
#ifndef HAK_THREAD_LINK_H
#define HAK_THREAD_LINK_H

#include "base/atomic.h"
#include "superslab/heap.h"

#include <string.h>

// No block under any key: the head of a bin that no thread has set up yet, and the end of a list of plain links.
#define LINK_NEVER (UINT64_C(1) << 63)

#if defined(__x86_64__)
#define LINK_BITS_NEVER_SET UINT64_C(0xffff80000000000f)  // user space ends below bit 47
#else
#define LINK_BITS_NEVER_SET UINT64_C(0xffff00000000000f)  // or below bit 48
#endif
_Static_assert((LINK_BITS_NEVER_SET & LINK_NEVER) != 0, "an unused head is no block");

// Neither text nor a usual number has these bytes there: the lower one is not valid in UTF-8.
#define LINK_TOP 0x9af9u
#define LINK_TOP_SHIFT 48
#define LINK_HALF (UINT64_C(1) << (LINK_TOP_SHIFT - 1))

// The target of the end of a list: on that side of all addresses where it is encoded with LINK_TOP, as they are. It is
// no block by its lowest bits. With plain links it is LINK_NEVER.
HAK_INLINE uint64_t link_end_with(uint64_t key) {
    return key == 0 ? LINK_NEVER : key & LINK_HALF ? 8 : 2 * LINK_HALF - 8;
}

extern HAK_INTERNAL _Atomic uint64_t hak_link_key;           // below LINK_NEVER
extern HAK_INTERNAL _Atomic uint64_t hak_link_end;           // link_end_with(key)
extern HAK_INTERNAL _Atomic uint64_t hak_link_must_be_zero;  // bits that are 0 in every valid target
extern HAK_INTERNAL _Atomic uint64_t hak_link_hit_mask;      // the same, or all bits: then no malloc is a hit
void link_init(bool encoded);
// Hits of malloc are stopped, for a while or for ever: each one, of any thread, finds its bin empty and comes to the
// slow path (sample/door.h, front/zero.h). It costs a hit nothing while it is not so.
void link_stop_hits(bool for_ever);
void link_let_hits(void);
HAK_INLINE bool link_hits_are_stopped(void) {
    return HAK_UNLIKELY(load_relaxed(&hak_link_hit_mask) == UINT64_MAX);
}

// `block` has the damaged link; NULL: unknown. In the release build the link may come from a block handed out since.
HAK_COLD HAK_NORETURN void link_corrupt(const void* block, uint64_t target);

// Checked build: notes a plain link that leads out of the heap. Following it faults.
HAK_COLD void link_note_bad(const void* block, uint64_t target);

HAK_INLINE uint64_t link_to_block(const void* next) {
    return (uint64_t)(uintptr_t)next - load_relaxed(&hak_link_key);
}

// next may be NULL: the end of the list.
HAK_INLINE uint64_t link_encode(const void* next) {
    return next ? link_to_block(next) : load_relaxed(&hak_link_end) - load_relaxed(&hak_link_key);
}

HAK_INLINE uint64_t link_target(uint64_t stored) {
    return stored + load_relaxed(&hak_link_key);
}

// Whether a target cannot be a block: it is the end of a list, or a damaged link.
HAK_INLINE bool link_is_no_block(uint64_t target) {
    return (target & load_relaxed(&hak_link_must_be_zero)) != 0;
}

// The same, or no malloc may be a hit.
HAK_INLINE bool link_is_no_hit(uint64_t target) {
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
    bool none;  // the compiler would take two instructions
    __asm__("testq %2, %1" : "=@ccnz"(none) : "m"(hak_link_hit_mask), "r"(target));
    return none;
#else
    return (target & load_relaxed(&hak_link_hit_mask)) != 0;
#endif
}

// Whether the first word of a block that is being freed looks like a link. Plain links never do.
HAK_INLINE bool link_looks_free(const void* block) {
    uint16_t top;
    memcpy(&top, (const char*)block + (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 6 : 0), sizeof top);
    return top == LINK_TOP;
}

// The same, exactly: whether the first word leads into the heap, or ends a list.
HAK_INLINE bool link_leads_on(const void* block) {
    uint64_t target = *(const uint64_t*)block + load_relaxed(&hak_link_key);
    return target == load_relaxed(&hak_link_end) || (target % 16 == 0 && heap_contains((const void*)(uintptr_t)target));
}

// For a block that is about to be handed out.
HAK_INLINE void link_clear(void* block) {
    *(uint64_t*)block = 0;
}

// The first word of the block at `target`, to which `stored` decodes. The asm keeps the compiler from using a sum that
// it computed before, so that the load itself forms the address.
HAK_INLINE uint64_t link_follow(uint64_t stored, uint64_t key) {
    __asm__("" : "+r"(stored));
    return *(const uint64_t*)(uintptr_t)(stored + key);
}

// The next block, or NULL at the end of the list. `block`, which has the link, is for the message.
HAK_INLINE void* link_decode(uint64_t stored, const void* block) {
    uint64_t target = link_target(stored);
    if (target == load_relaxed(&hak_link_end)) return NULL;
    if (HAK_UNLIKELY(link_is_no_block(target))) link_corrupt(block, target);
    // A list's head was already tested when it was read from its block.
    if (HAK_CHECKED && block && HAK_UNLIKELY(target != 0 && !heap_contains((const void*)(uintptr_t)target)))
        link_note_bad(block, target);
    return (void*)(uintptr_t)target;
}

HAK_INLINE void* link_read(const void* block) {
    return link_decode(*(const uint64_t*)block, block);
}

// Whether `block`, not NULL, is one of the first `most` blocks of the list that begins at `first`, which may be NULL.
bool link_list_has(const void* first, uint32_t most, const void* block);

HAK_INLINE void link_write(void* block, const void* next) {
    *(uint64_t*)block = link_encode(next);
}

#endif
