// Guard mode (HAKMEM_GUARD=1, checked build): a shell around the allocator that stops a program at its first wrong act with memory.
//
//   public function ── guard on? ──no──> the allocator
//                          └──yes──> guard_malloc ... ── size + canary ──> the allocator ──> record: live
//                                    guard_free ── record live? canary whole? ──> poisoned, quarantined ──> the allocator
//
//   NONE or FREE ──malloc──> LIVE ──free──> QUARANTINED ──as others follow──> FREE         CHANGING while it is being done
//
// Every step is one atomic exchange in the block's record (observe/guard_record.h): of two threads that free a block at once one
// fails. Blocks of which there is no record, from before guard mode began or for want of memory, pass unguarded.
// Thread-safety: as the public functions. Errors: a broken rule ends the process, with the words of guard_faults.h.
// The release build has none of this.
#ifndef HAK_FRONT_GUARD_H
#define HAK_FRONT_GUARD_H

#include "front/guard_call.h"
#include "thread/tcb.h"

#if HAK_CHECKED
typedef enum { GUARD_UNDECIDED, GUARD_OFF, GUARD_ON } GuardMode;
extern HAK_INTERNAL _Atomic uint32_t hak_guard_mode;
bool guard_decide(void);

// The first call decides, by the options.
HAK_INLINE bool guard_on(void) {
    return HAK_UNLIKELY(load_relaxed(&hak_guard_mode) != GUARD_OFF) && guard_decide();
}
#else
#define guard_on() false  // a macro: what follows from it needs not exist
#endif

// Called while guard_on() says so.
void* guard_malloc(const GuardCall* call, size_t size);
void* guard_calloc(const GuardCall* call, size_t bytes);
void* guard_aligned(const GuardCall* call, size_t alignment, size_t size);
void* guard_realloc(const GuardCall* call, void* p, size_t size);
void guard_free(const GuardCall* call, void* p);
void guard_free_sized(const GuardCall* call, void* p, size_t size);
// The bytes that were asked for: what lies behind them is not the program's.
size_t guard_usable_size(const GuardCall* call, const void* p);

// Empties the calling thread's quarantine; true: some block was there.
bool guard_flush(void);
// Looks at the canaries of the live blocks of a slab or SuperSlab of page runs that the caller owns, or that stands still.
void guard_check_slab(uint32_t slab);

#endif
