// The mailbox of a size class: where a slab that has free blocks again is announced by a thread that has too many of its class, and
// fetched by one that needs one. An announcement is a hint, not ownership: the slab was published before, stands in the registry, and
// is claimed like any other by who fetches it. One that is overwritten is lost without harm.
// Thread-safety: any thread. Errors: none.
#ifndef HAK_SLAB_MAILBOX_H
#define HAK_SLAB_MAILBOX_H

#include "superslab/geometry.h"

void mailbox_announce(unsigned size_class, SlabNumber s);
// The slab announced last, which nobody else will get; 0: none.
SlabNumber mailbox_fetch(unsigned size_class);

#endif
