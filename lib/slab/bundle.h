// Bundles: blocks freed into foreign slabs are gathered by slab, so that one atomic operation pushes many. If the slab
// has lost its owner meanwhile, the thread claims it instead (remote_free.h).
//   sum of bundle[i].count == bundled         a bundle holds at most 32 blocks or 2 KiB
// Thread-safety: the thread's own.
// Errors: none.
#ifndef HAK_SLAB_BUNDLE_H
#define HAK_SLAB_BUNDLE_H

#include "slab/ownership.h"

// Adds a block of slab s, whose class is `size_class`. Pushes bundles that are full or in its place.
void bundle_add(HakTcb* me, SlabNumber s, unsigned size_class, void* block);
// Whether a bundle of the thread holds the block, which is of slab s.
bool bundle_has(const HakTcb* me, SlabNumber s, const void* block);
// Pushes all bundles.
void bundles_flush(HakTcb* me);

#endif
