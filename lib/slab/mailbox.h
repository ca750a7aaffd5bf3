// The mailbox of a size class. A thread that has too many slabs of the class announces one with free blocks there; a
// thread that needs one fetches it. An announcement is a hint, not ownership: the slab was published before and is in
// the registry, and the fetching thread must claim it. An overwritten announcement is lost without harm.
// Thread-safety: any thread.
// Errors: none.
#ifndef HAK_SLAB_MAILBOX_H
#define HAK_SLAB_MAILBOX_H

#include "superslab/geometry.h"

void mailbox_announce(unsigned size_class, SlabNumber s);
// The slab announced last; no other thread fetches it too. 0: none.
SlabNumber mailbox_fetch(unsigned size_class);

#endif
