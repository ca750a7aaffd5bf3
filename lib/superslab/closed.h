// Guard mode: closed memory. Memory that went back to the system cannot be read or written, so that a program that
// still uses it stops at once instead of reading zeros. It is opened when it is taken again.
//   unit.closed_slabs: bit i set = slab i of the unit may be inaccessible
// Thread-safety: under heap_lock.
// Errors: what cannot be closed stays open; what cannot be opened cannot be taken.
// The release build has none of this.
#ifndef HAK_SUPERSLAB_CLOSED_H
#define HAK_SUPERSLAB_CLOSED_H

#include "superslab/heap.h"

#if HAK_CHECKED
void units_close(UnitNumber first, UnitNumber length);
bool units_open(UnitNumber first, UnitNumber length);
void slab_close(SlabNumber s);
bool slab_open(SlabNumber s);
#else
HAK_INLINE void units_close(UnitNumber first, UnitNumber length) {
    (void)first, (void)length;
}
HAK_INLINE bool units_open(UnitNumber first, UnitNumber length) {
    (void)first, (void)length;
    return true;
}
HAK_INLINE void slab_close(SlabNumber s) {
    (void)s;
}
HAK_INLINE bool slab_open(SlabNumber s) {
    (void)s;
    return true;
}
#endif
#endif
