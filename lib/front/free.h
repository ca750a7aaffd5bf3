// A free that finds no place in its bin.
// Thread-safety: any thread.
// Errors: a pointer that is not a block is fatal.
#ifndef HAK_FRONT_FREE_H
#define HAK_FRONT_FREE_H

#include "thread/bin.h"

// The bin of the tag has no room: its `room` is one too low.
HAK_NOINLINE HAK_LINE_START void free_over(void* p, uint64_t tag, TlsBin* bin);
// The block is in another thread's slab, or of no class, or NULL. In the checked build also any block, where no
// operation can begin.
HAK_NOINLINE HAK_LINE_START void free_slow(void* p);
// The block is a suspect (front/suspect.h). `room` of the tag's bin is one too low.
HAK_COLD void free_suspected(void* p, uint64_t tag);
// The block is sampled. `function`: the public one that frees it.
HAK_COLD void free_sampled(const char* function, void* p);

#endif
