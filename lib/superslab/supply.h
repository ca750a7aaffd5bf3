// Where units come from when a SuperSlab or a huge block is made: dirty free runs first, since their pages are there; then untouched
// memory, for which free memory goes near a control group's limit; and once more after all that is free has gone.
//
//   dirty -> clean -> absent -> clean joined with absent -> grown -> purge everything free, once more
//
// Thread-safety: under heap_lock. Errors: 0 or false when there is no memory.
#ifndef HAK_SUPERSLAB_SUPPLY_H
#define HAK_SUPERSLAB_SUPPLY_H

#include "superslab/heap.h"

// As units_take_dirty and its like.
UnitNumber supply_units(UnitNumber length, UnitNumber align);
// The `length` units right behind a block, if they are free.
bool supply_units_behind(UnitNumber first, UnitNumber length);

#endif
