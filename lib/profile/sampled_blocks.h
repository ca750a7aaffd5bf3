// The sampled blocks that are in use: a hash table by address. It is asked at each free of a page run or a huge block,
// so a byte for each far bucket says first how many it has; all of these bytes are 8 KiB.
//
//   bucket: 16 places, each with the address (0: free, 1: being filled), the site and the share
//   64 near buckets, which stay in the caches of the processor while there are few samples; where one is full, 8192 far
//   ones
//
// Thread-safety: any thread, and signal handlers, without a lock. Whoever frees a block has got it from its malloc, so
// its place is filled by then.
// Errors: false if there is no memory, or no room in the bucket.
#ifndef HAK_PROFILE_SAMPLED_BLOCKS_H
#define HAK_PROFILE_SAMPLED_BLOCKS_H

#include "profile/sites.h"

bool sampled_blocks_map(void);
bool sampled_blocks_add(const void* block, Site* site, SiteShare share);
// How often there was no room.
uint64_t sampled_blocks_lost(void);
// Takes the block out, if it is there.
bool sampled_blocks_take(const void* block, Site** site, SiteShare* share);

#endif
