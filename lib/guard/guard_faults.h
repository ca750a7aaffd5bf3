// The words for what guard mode finds: which rule the program broke, on which block, whose it is, and who did it.
// Thread-safety: any thread.
// Errors: all functions end in fatal().
#ifndef HAK_GUARD_GUARD_FAULTS_H
#define HAK_GUARD_GUARD_FAULTS_H

#include "guard/guard_bytes.h"
#include "guard/guard_call.h"

// In the message if nobody can tell on which side of the damage the culprit was. hakstress searches for it.
#define GUARD_OR_UNDERFLOW "or it wrote before the start of"

// overflow: the bytes behind a block are damaged; `next` is where the next one may begin.
HAK_COLD HAK_NORETURN void fault_overflow(const char* site, const GuardPlace* place, const unsigned char* next,
                                          GuardDamage damage);
// underflow: the bytes before a block are damaged.
HAK_COLD HAK_NORETURN void fault_before(const char* site, const GuardPlace* place, GuardDamage damage);
// overflow or underflow: the canary of a block of `bytes` bytes is damaged; `site` found it.
HAK_COLD HAK_NORETURN void fault_canary(const char* site, const GuardPlace* place, size_t bytes);
// write_after_free: the poison of a freed block is damaged after its first `skip` bytes.
HAK_COLD HAK_NORETURN void fault_poison(const char* site, const GuardPlace* place, size_t skip, size_t bytes);
// `check` (double_free or use_after_free): the block is not live.
HAK_COLD HAK_NORETURN void fault_dead(const char* check, const GuardCall* call, const GuardPlace* place);
// mismatched_free: free of what new returned, and the like.
HAK_COLD HAK_NORETURN void fault_family(const GuardCall* call, const GuardPlace* place);
// wrong_size: a sized free with another size.
HAK_COLD HAK_NORETURN void fault_size(const GuardCall* call, const GuardPlace* place, size_t size);
// interior_free: a pointer into the block of `place`, but not to its start.
HAK_COLD HAK_NORETURN void fault_interior(const GuardCall* call, const GuardPlace* place, const void* p);
// invalid_free: not a block.
HAK_COLD HAK_NORETURN void fault_no_block(const GuardCall* call, const void* p);
// handed_out_twice: a fault of the allocator, or of what damaged it.
HAK_COLD HAK_NORETURN void fault_twice(const GuardCall* call, const GuardPlace* place);

#endif
