// The heap profile: about one block for HAKMEM_PROFILE_RATE allocated bytes is a sample, with the stack of its malloc.
//
//   off   a hit of malloc or free knows nothing of this
//   on    no link counts as one for a hit (thread/link.h), so each malloc comes to a slow path, where front/malloc.c
//         counts its bytes and takes the block from the bin, as the hit would have
//         the sample is a block of pages of its own (a page run, or huge): its free is none of the hits anyway, and
//         the slow path of those alone asks sampled_blocks.h whether the block is one
//
// So frees pay nothing, and blocks that never leave their bins are sampled like all others.
// The child of a fork goes on with a copy of what its parent held and had allocated.
// Guard mode follows every block, and has no profile.
// Thread-safety: any thread, and signal handlers. profile_begin: under the caller's lock.
// Errors: without memory for the tables there is no profile, which is said once. Samples without room are counted.
#ifndef HAK_PROFILE_PROFILE_H
#define HAK_PROFILE_PROFILE_H

#include "profile/sites.h"
#include "thread/tls.h"

extern HAK_INTERNAL _Atomic bool profile_on;

HAK_INLINE bool profile_is_on(void) {
    return HAK_UNLIKELY(load_relaxed(&profile_on));
}

// Once the options are known.
void profile_begin(void);

// Some other option wants each malloc to take a slower path.
extern HAK_INTERNAL _Atomic bool profile_slow;
HAK_INLINE bool profile_is_slow(void) {
    return HAK_UNLIKELY(load_relaxed(&profile_slow));
}

// A thread's count has run out with a malloc of `size`. false: it had not begun, and the malloc is no sample.
HAK_COLD bool profile_run_out(size_t size);
// Counts a malloc. true: the thread's count has run out.
HAK_INLINE bool profile_counts(size_t size) {
    hak_tls.profile_left -= (int64_t)size;
    return HAK_UNLIKELY(hak_tls.profile_left < 0);
}
// Counts a malloc. true: its block is the sample.
HAK_INLINE bool profile_is_due(size_t size) {
    return profile_counts(size) && profile_run_out(size);
}
// Notes a sample: `block` has pages of its own.
HAK_COLD void profile_sampled(const void* block, size_t size);
// For a block with pages of its own that is about to be freed.
void profile_forget(const void* block);

// What is known of a sample. site: NULL if the block is none.
typedef struct {
    Site* site;
    SiteShare share;
} ProfileSample;
// For a block with pages of its own that is about to be resized: takes it out, and then either puts it back, or counts
// it as freed.
ProfileSample profile_take(const void* block);
HAK_COLD void profile_put_back(const void* block, ProfileSample sample);
void profile_freed(ProfileSample sample);

// In the child of a fork, for its one thread.
void profile_after_fork(void);

#endif
