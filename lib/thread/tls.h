// What the fast paths touch: the TLS SLLs, one bin per size class, and what tells own slabs. 1000 bytes a thread, valid as they are
// initialised, so a thread starts without a loop.
//
//   bin 0 never has room: the words that name no slab lead there
#ifndef HAK_THREAD_TLS_H
#define HAK_THREAD_TLS_H

#include "superslab/geometry.h"
#include "thread/bin.h"
#include "thread/tcb.h"

// Of a thread without control block: nothing is its own, and its bins have no room.
#define FOREIGN_ALL (~UINT64_C(0))

typedef struct HakTls {
    TlsBin bin[CLASS_COUNT];
    // ~owner part of the control block, or FOREIGN_ALL. What an owner word has in common with it is below TAG_CLASSES exactly if
    // the slab is the thread's own or nobody's, and holds blocks of a class, or is none.
    uint64_t foreign;
    HakTcb* tcb;
    uint32_t early_frees;  // frees while there was no control block yet
    uint8_t beginning;     // 1: its control block is being made
    uint8_t ended;         // 1: the thread's exit has run; it uses the reserve control block from now on
} HakTls;
_Static_assert(offsetof(HakTls, bin) == 0, "a tag is the offset of its bin");

extern HAK_INTERNAL HAK_TLS HakTls hak_tls;

// The bin of a class's tag. An ordinary address: access through the segment register costs a cycle of latency each time, and the head of a
// bin is stored and loaded again at every call.
HAK_INLINE TlsBin* fast_bin(uint64_t tag) {
    return (TlsBin*)(void*)((char*)hak_tls.bin + tag);
}

#endif
