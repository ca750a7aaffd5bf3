// The heap profile: about one block for HAKMEM_PROFILE_RATE allocated bytes is a sample, with the stack of its malloc.
//
//   off   malloc and free use the bin of the class
//
//         free --> | bin | --> malloc
//
//   on    up to TINY_MAX, malloc takes from a second bin, whose blocks are known not to be samples: a hit takes the
//         same instructions. When that is empty, the bin's blocks go there, but no more than come before the next
//         sample. So each malloc is counted, also of blocks that never leave the bins.
//
//         free --> | bin | --front/malloc.c, profile_mallocs_left--> | counted bin | --> malloc
//
//         Beyond TINY_MAX each malloc comes to a slow path, which counts its bytes.
//
// A sample is a block of pages of its own (a page run, or huge): its free is none of the hits anyway, and the slow path
// of those alone asks sampled_blocks.h whether the block is one. So frees of others pay nothing.
// Each thread draws its own gaps, one for each class and one for the sizes beyond: gaps have no memory, so each may
// begin at any time.
// The child of a fork goes on with a copy of what its parent held and had allocated.
// Guard mode follows every block, and has no profile.
// Thread-safety: any thread, and signal handlers, except profile_follow_option: no handler.
// Errors: without memory for the tables there is no profile, which is said once. Samples without room are counted.
#ifndef HAK_PROFILE_PROFILE_H
#define HAK_PROFILE_PROFILE_H

#include "profile/sampled_blocks.h"
#include "superslab/size_class.h"
#include "thread/tls.h"

extern HAK_INTERNAL _Atomic bool profile_on, profile_kept;

// Whether samples are taken.
HAK_INLINE bool profile_is_on(void) {
    return HAK_UNLIKELY(load_relaxed(&profile_on));
}

// Whether there may be samples, so that what frees a block with pages of its own must ask.
HAK_INLINE bool profile_has_samples(void) {
    return HAK_UNLIKELY(load_acquire(&profile_kept));  // pairs with the release in begin
}

// Begins or ends the profile as the option HAKMEM_PROFILE says now: once the options are known, and when they change.
// What was allocated while it is off is no part of it; what was sampled before is followed until its free.
void profile_follow_option(void);

// --- counts

// Mallocs of the class from its bins until the next sample, which is the last of them; at least 1. The caller takes off
// what it hands out, and what it moves to the counted bin.
HAK_COLD void profile_draw(uint32_t* left, unsigned size_class);
HAK_INLINE uint32_t* profile_mallocs_left(HakTcb* me, unsigned size_class) {
    uint32_t* left = &me->tiny[size_class].profile_left;
    if (HAK_UNLIKELY(*left == 0)) profile_draw(left, size_class);
    return left;
}

// The thread's count of bytes has run out with a malloc of `size`. false: it had not begun, and this is no sample.
HAK_COLD bool profile_run_out(size_t size);
// Counts a malloc beyond TINY_MAX. true: its block is the sample.
HAK_INLINE bool profile_is_due(size_t size) {
    hak_tls.profile_left -= (int64_t)size;
    return HAK_UNLIKELY(hak_tls.profile_left < 0) && profile_run_out(size);
}
// For a malloc of a class that found no block. true: its block is the sample.
bool profile_class_is_due(unsigned size_class, size_t size);
// What a malloc of the class counts for: there is one count for all sizes of a class up to TINY_MAX.
HAK_INLINE size_t profile_counted_bytes(unsigned size_class, size_t size) {
    return size_class <= CLASS_LAST_TINY ? size_of_class(size_class) : size;
}

// --- samples

// Notes a sample: `block` has pages of its own.
HAK_COLD void profile_sampled(const void* block, size_t size, size_t counted_bytes);
// For a block with pages of its own that is about to be freed.
void profile_forget(const void* block);

// For a block with pages of its own that is about to be resized: takes it out, and then either puts it back, or counts
// it as freed.
ProfileSample profile_take(const void* block);
HAK_COLD void profile_put_back(const void* block, ProfileSample sample);
void profile_freed(ProfileSample sample);

// In the child of a fork, for its one thread.
void profile_after_fork(void);

#endif
