// What the fast paths touch: the TLS SLLs, one bin for each size class, and the mask that recognises own slabs.
// 1520 bytes a thread. Their static initial values are valid, so a thread starts without a loop. If the library is
// linked into one that a program opens later, the C library has room for some 1660 bytes.
//
//   bin 0 never has room: owner words that name no slab lead there
//
// Thread-safety: the thread's own.
// Errors: none.
#ifndef HAK_THREAD_TLS_H
#define HAK_THREAD_TLS_H

#include "superslab/geometry.h"
#include "thread/bin.h"
#include "thread/tcb.h"

// For a thread without a TCB: no slab is its own, and its bins have no room.
#define FOREIGN_ALL (~UINT64_C(0))

typedef struct HakTls {
    TlsBin bin[CLASS_COUNT];
    // ~owner part of the TCB, or FOREIGN_ALL. (owner word & foreign) < TAG_CLASSES exactly if the slab is the thread's
    // own or nobody's, and either holds blocks of a class or is not a slab.
    uint64_t foreign;
    HakTcb* tcb;
    uint32_t early_frees;   // frees while the thread had no TCB yet
    uint8_t beginning;      // 1: its TCB is being made
    uint8_t ended;          // 1: the thread's exit has run; it uses the reserve TCB from now on
    uint8_t profile_begun;  // 1: profile_left was drawn
    int64_t profile_left;   // bytes above TINY_MAX that the thread allocates until the next sample of the heap profile
    // While the heap profile is on, malloc takes blocks up to TINY_MAX from here (profile/profile.h). After it they may
    // still have some. counted_bin() has them by class. cap: the blocks that they got.
    TlsBin counted[CLASS_LAST_TINY];
} HakTls;
_Static_assert(offsetof(HakTls, bin) == 0, "a tag is the offset of its bin");

#define COUNTED_OFFSET (offsetof(HakTls, counted) - CLASS_FIRST * sizeof(TlsBin))

extern HAK_INTERNAL HAK_TLS HakTls hak_tls;

// The bin of a class's tag. It has an ordinary address: an access through the segment register costs one more cycle of
// latency, and each call stores and loads the head of a bin.
HAK_INLINE TlsBin* fast_bin(uint64_t tag) {
    return (TlsBin*)(void*)((char*)hak_tls.bin + tag);
}

// A class without one: NULL.
HAK_INLINE TlsBin* counted_bin_of(HakTls* tls, unsigned size_class) {
    return size_class <= CLASS_LAST_TINY ? &tls->counted[size_class - CLASS_FIRST] : NULL;
}

HAK_INLINE TlsBin* counted_bin(unsigned size_class) {
    return counted_bin_of(&hak_tls, size_class);
}

#endif
