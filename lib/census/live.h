// Where others find the allocator's tables in the memory of this process. A note in the ELF file says where hak_live
// is, and hak_live where everything else is. It costs nothing at load: no file, no mapping, no call.
//
//   ELF header -> program headers -> note "hakmem": offset -> hak_live -> heap, TCBs, counters, options, hak_request
//
// Who may read the process by the kernel's rules (ptrace(2)) may read it; nobody else finds anything here.
// Thread-safety: constant.
// Errors: none.
#ifndef HAK_CENSUS_LIVE_H
#define HAK_CENSUS_LIVE_H

#include "census/request.h"
#include "config/options.h"
#include "superslab/heap.h"
#include "thread/tls.h"

#define HAK_LIVE_NOTE "hakmem"
#define HAK_LIVE_MAGIC UINT64_C(0x6576696c6d6b6168)  // "hakmlive"
// Changes whenever what is reachable from hak_live may be laid out in another way.
#define HAK_LIVE_LAYOUT                                                                                                \
    ((uint32_t)(sizeof(HakTcb) + 7 * offsetof(HakTcb, counters) + 11 * offsetof(HakTcb, tiny) + 13 * sizeof(HakHeap) + \
                17 * sizeof(TinyTLSSlab) + 19 * offsetof(HakTcb, bundle) + 23 * sizeof(HakRequest) +                   \
                29 * offsetof(HakTcb, quarantine) + 31 * sizeof(HakTls) + 37 * sizeof(HakOptions)) *                   \
         64 +                                                                                                          \
     HAK_COUNTER_COUNT)

typedef struct {
    uint64_t magic;
    uint32_t layout;
    uint32_t checked;  // 1: libhakmem-checked.so
    char version[24];
    const HakHeap* heap;
    _Atomic(HakTcb*)* newest;
    const HakCounters* shared;
    HakRequest* request;
    _Atomic uint32_t* wake;
    const HakOptions* options;
} HakLive;

extern HAK_INTERNAL HakLive hak_live;

// Once, in the file that defines hak_live. The note's text is the distance from itself to hak_live. A linker keeps
// notes, and strip does.
#define HAK_LIVE_PUT_NOTE                               \
    __asm__(".pushsection .note.hakmem, \"a\", %note\n" \
            ".balign 4\n"                               \
            ".long 7, 8, 1\n"                           \
            ".asciz \"" HAK_LIVE_NOTE "\"\n"            \
            ".balign 4\n"                               \
            "1: .quad hak_live - 1b\n"                  \
            ".popsection\n")

#endif
