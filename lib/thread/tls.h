// What the fast paths touch: the TLS SLLs, one bin per size class, and two keys. 1.5 KiB a thread, valid as all zero but for
// `owner_key`, so a thread starts without an initialisation loop.
//
//   bin:  head -> block -> block -> NULL      room = blocks that may still be freed into it (malloc +1, free -1)
//         blocks in the list == cap - room
#ifndef HAK_THREAD_TLS_H
#define HAK_THREAD_TLS_H

#include "superslab/geometry.h"
#include "thread/tcb.h"

typedef struct {
    void* head;
    int32_t room;
    uint16_t cap;    // 0: the class was not used yet, or HAKMEM_TINY_FAST_CAP=0
    uint16_t batch;  // blocks that the next refill asks for: doubled each time, so that a short-lived thread takes few
} TlsBin;
_Static_assert(sizeof(TlsBin) == 16, "a tag is the offset of its bin");

// Matches no owner word: a thread without control block takes nothing for its own.
#define OWNER_KEY_NONE (~UINT64_C(0xfff))

typedef struct {
    TlsBin bin[CLASS_COUNT];
    uint64_t owner_key;  // address of tcb, or OWNER_KEY_NONE
    HakTcb* tcb;
    uint32_t early_frees;  // frees while there was no control block yet
    uint32_t ended;        // 1: the thread's exit has run; it uses the reserve control block from now on
} HakTls;
_Static_assert(offsetof(HakTls, bin) == 0, "a tag is the offset of its bin");

extern HAK_INTERNAL HAK_TLS HakTls hak_tls;

// The fast paths reach the same variable relative to the thread pointer itself: a few instructions fewer than through an address.
// Sanitizers take such an offset for an address.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define HAK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HAK_SANITIZED 1
#endif
#endif
#ifndef HAK_SANITIZED
#define HAK_SANITIZED 0
#endif
#if defined(__x86_64__) && defined(__GNUC__) && !HAK_SANITIZED
#define HAK_TLS_BY_SEGMENT 1
#else
#define HAK_TLS_BY_SEGMENT 0
#endif
#if HAK_TLS_BY_SEGMENT
#if defined(__clang__)
#define HAK_THREAD_SEGMENT __attribute__((address_space(257)))
#else
#define HAK_THREAD_SEGMENT __seg_fs
#endif
HAK_INLINE uintptr_t tls_offset(void) {
    uintptr_t offset;
    __asm__("movq hak_tls@gottpoff(%%rip), %0" : "=r"(offset));
    return offset;
}
#else
#define HAK_THREAD_SEGMENT
HAK_INLINE uintptr_t tls_offset(void) {
    return (uintptr_t)&hak_tls;
}
#endif
typedef HAK_THREAD_SEGMENT HakTls* FastTls;
typedef HAK_THREAD_SEGMENT TlsBin* FastBin;

HAK_INLINE FastTls fast_tls(void) {
    return (FastTls)tls_offset();
}

// The bin of a class's tag.
HAK_INLINE FastBin fast_bin(uint64_t tag) {
#if HAK_TLS_BY_SEGMENT
    __asm__("addq hak_tls@gottpoff(%%rip), %0" : "+r"(tag) : : "cc");
    return (FastBin)tag;
#else
    return (FastBin)(tls_offset() + tag);
#endif
}

#endif
