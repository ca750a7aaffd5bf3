// All locks of the allocator, in the order in which a thread that takes several takes them.
// Thread-safety: as that of `step`. Errors: none.
#ifndef HAK_FRONT_LOCKS_H
#define HAK_FRONT_LOCKS_H

#include "base/lock.h"

typedef void (*LockStep)(HakLock* lock, unsigned fork);

enum { LOCK_RANK_FORK, LOCK_RANK_OUTER, LOCK_RANK_INNER = 4, LOCK_LEAF = 99 };

typedef struct {
    const char* name;
    uint32_t rank;  // as in lib/README.md; LOCK_LEAF: a thread that holds it waits for no lock
    bool many;      // a lock for each class or shard
    void (*locks)(LockStep step, unsigned fork);
} LockGroup;

enum { LOCK_GROUPS = 10 };
extern HAK_INTERNAL const LockGroup lock_groups[LOCK_GROUPS];

// Applies `step` to each lock with a rank from `first` to `last`, in their order.
void locks_of_ranks(uint32_t first, uint32_t last, LockStep step, unsigned fork);

#endif
