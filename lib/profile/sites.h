// What the program allocates and holds, by the stack of the malloc. Numbers of blocks are estimates, in 1/1024.
//
//   sites: a hash table by the stack's number (stack/stack_table.h), in which nothing is ever removed
//   site 0: what has no stack, or no room here
//
// `peak_*` is what was live when the sum was largest; it is taken anew when the sum has grown by a twentieth.
// Thread-safety: any thread, and signal handlers; no lock but for the peak, which nobody waits for.
// Errors: false if there is no memory.
#ifndef HAK_PROFILE_SITES_H
#define HAK_PROFILE_SITES_H

#include "base/atomic.h"
#include "base/lock.h"

enum { SITES = 1 << 15, SITE_UNITS = 1024 };

typedef struct {
    _Atomic uint32_t stack;
    _Atomic int64_t peak_blocks, peak_bytes;
    _Atomic int64_t all_blocks, all_bytes;
    _Atomic int64_t freed_blocks, freed_bytes;  // what is live: all - freed
} Site;

// What one sample stands for.
typedef struct {
    int64_t blocks, bytes;
} SiteShare;

bool sites_map(void);
Site* site_of(uint32_t stack);
Site* site_at(uint32_t number);
// All sites that were used: 0, 1, ... sites_used() - 1. NULL: another thread is adding it.
uint32_t sites_used(void);
Site* site_used(uint32_t i);
uint32_t site_number(const Site* site);
// held: its free will be seen. Otherwise it counts as freed at once.
void site_allocated(Site* site, SiteShare share, bool held);
void site_freed(Site* site, SiteShare share);
SiteShare site_live(const Site* site);
// In the child of a fork, for its one thread.
void sites_after_fork(void);

#endif
