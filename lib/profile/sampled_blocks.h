// The sampled blocks that are in use: a hash table by address. It is asked at each free of a page run or a huge block,
// so a byte for each far bucket says first how many it has; all of these bytes are 8 KiB.
//
//   bucket: 16 places, each with the address (0: free, 1: being filled) and the sample
//   64 near buckets, which stay in the caches of the processor while there are few samples; where one is full, 8192 far
//   ones
//
// Thread-safety: any thread, and signal handlers, without a lock. Whoever frees a block has got it from its malloc, so
// its place is filled by then.
// Errors: false if there is no memory, or no room in the bucket.
#ifndef HAK_PROFILE_SAMPLED_BLOCKS_H
#define HAK_PROFILE_SAMPLED_BLOCKS_H

#include "profile/sites.h"

// What is known of a sample. site: NULL if the block is none.
typedef struct {
    Site* site;
    SiteShare share;
    uint32_t usual_bytes;  // of the block, were it none: those of its class; 0: it had pages of its own then, too
} ProfileSample;

bool sampled_blocks_map(void);
bool sampled_blocks_add(const void* block, ProfileSample sample);
// How often there was no room.
uint64_t sampled_blocks_lost(void);
// Takes the block out, if it is there.
ProfileSample sampled_blocks_take(const void* block);

#endif
