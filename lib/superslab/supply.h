// Where the units of a new SuperSlab or huge block come from. Dirty free runs come first, because their pages are
// resident. Then untouched memory; near a control group's limit, free memory goes back before that. If all fails, all
// free memory goes back, and untouched memory is tried once more.
//
//   dirty -> clean -> absent -> clean joined with absent -> grown -> purge everything free, once more
//
// Thread-safety: under heap_lock.
// Errors: 0 or false if there is no memory.
#ifndef HAK_SUPERSLAB_SUPPLY_H
#define HAK_SUPERSLAB_SUPPLY_H

#include "superslab/heap.h"

// As units_take_dirty.
UnitNumber supply_units(UnitNumber length, UnitNumber align);
// Takes the `length` units right behind a block, if they are free.
bool supply_units_behind(UnitNumber first, UnitNumber length);

#endif
