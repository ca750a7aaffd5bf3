// A free of a suspect: a block whose first word looks like a link, so that it may be free already (thread/link.h).
//
//   free ── suspect? ──> in the caller's own bin, bundle or slab, or first on a remote stack? ──yes──> reported
//                                       └──no──> set aside: it may be in another thread's list, which must not be read
//
// A block that is set aside is not handed out again. It counts as in use, and keeps its slab or SuperSlab in use. There
// are 256 places for blocks of size classes and four for page runs: 8 MiB of blocks, in 24 MiB of slabs and SuperSlabs,
// at most. When they are all taken, the block set aside longest ago is let go: if its first word has not changed since,
// and it is still not found, it is freed after all.
// So content that only looks like a link costs at most a place, and a double free is never done while there is one.
// With plain links nothing is a suspect.
// Thread-safety: any thread, also in a signal handler that interrupted one of our operations.
// Errors: a double free is reported (wrong_free.h).
#ifndef HAK_FRONT_SUSPECT_H
#define HAK_FRONT_SUSPECT_H

#include "base/compiler.h"

// Settles the free of a suspect, which is the start of a block of a class or a page run. The caller is in no operation.
// Returns what the caller must free instead of it, without asking again: the block itself, if it is no suspect after
// all; one that is let go; or NULL.
HAK_COLD void* suspect_settle(void* block);
// For a realloc of a suspect: reports a block that is certainly free. false: it is not.
HAK_COLD bool suspect_is_reported(const char* check, const char* site, const void* block);

#endif
