// The words for what guard mode finds: which rule the program broke, on which block, whose it is and who did it.
// Thread-safety: any thread. Errors: all of them end in fatal().
#ifndef HAK_GUARD_GUARD_FAULTS_H
#define HAK_GUARD_GUARD_FAULTS_H

#include "guard/guard_call.h"

// What a message says where it cannot be told on which side of the damage the culprit stood; hakstress looks for it.
#define GUARD_OR_UNDERFLOW "or it wrote before the start of"

// overflow or underflow: the canary of a block of `bytes` bytes is damaged; `site` found it.
HAK_COLD HAK_NORETURN void fault_canary(const char* site, const GuardPlace* place, size_t bytes);
// write_after_free: the poison of a freed block is damaged behind its first `skip` bytes.
HAK_COLD HAK_NORETURN void fault_poison(const char* site, const GuardPlace* place, size_t skip, size_t bytes);
// `check` (double_free or use_after_free): the block is not live.
HAK_COLD HAK_NORETURN void fault_dead(const char* check, const GuardCall* call, const GuardPlace* place);
// mismatched_free: free of what new gave, and the like.
HAK_COLD HAK_NORETURN void fault_family(const GuardCall* call, const GuardPlace* place);
// wrong_size: a sized free of another size.
HAK_COLD HAK_NORETURN void fault_size(const GuardCall* call, const GuardPlace* place, size_t size);
// interior_free: into the block of `place`, but not to its start.
HAK_COLD HAK_NORETURN void fault_interior(const GuardCall* call, const GuardPlace* place, const void* p);
// invalid_free: no block at all.
HAK_COLD HAK_NORETURN void fault_no_block(const GuardCall* call, const void* p);
// handed_out_twice: the allocator is at fault, or what damaged it.
HAK_COLD HAK_NORETURN void fault_twice(const GuardCall* call, const GuardPlace* place);

#endif
