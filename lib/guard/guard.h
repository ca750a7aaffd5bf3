// Guard mode (HAKMEM_GUARD=1, checked build): a shell around the allocator. It stops a program at its first wrong act.
//
//   public function ── guard on? ──no──> the allocator
//                       └──yes──> guard_malloc ... ── size + canary ──> the allocator ──> record: live
//                                 guard_free ── record live? canary whole? ──> poisoned, quarantined ──> the allocator
//
//   NONE or FREE ──malloc──> LIVE ──free──> QUARANTINED ──as others follow──> FREE      CHANGING while it is being done
//
// Every step is one atomic exchange in the block's record (superslab/guard_record.h): if two threads free a block at
// once, one fails. Blocks without a record pass unguarded: they are older than guard mode, or there was no memory.
// Thread-safety: as the public functions.
// Errors: a broken rule ends the process, with the words of guard_faults.h.
// The release build has none of this.
#ifndef HAK_GUARD_GUARD_H
#define HAK_GUARD_GUARD_H

#include "guard/guard_call.h"
#include "guard/guard_mode.h"
#include "guard/quarantine.h"

// Call these only while guard_on() is true.
void* guard_malloc(const GuardCall* call, size_t size);
void* guard_calloc(const GuardCall* call, size_t bytes);
void* guard_aligned(const GuardCall* call, size_t alignment, size_t size);
void* guard_realloc(const GuardCall* call, void* p, size_t size);
void guard_free(const GuardCall* call, void* p);
void guard_free_sized(const GuardCall* call, void* p, size_t size);
// The bytes that were asked for: the memory behind them is not the program's.
size_t guard_usable_size(const GuardCall* call, const void* p);

#endif
