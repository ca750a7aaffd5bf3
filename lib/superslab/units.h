// Runs of free units: split, joined, reused dirty ones first, given back to the system by purge.c.
//
//   free run:  | first: length | ... | last: length |      neighbours find both ends, so joining takes no search
//
// Dirty runs (pages still resident) and clean ones (they read as zero) are kept apart and joined with their own kind only.
//   dirty_units == sum of the lengths of all dirty runs
// Thread-safety: everything under heap_lock. Errors: 0 when there is no memory.
#ifndef HAK_SUPERSLAB_UNITS_H
#define HAK_SUPERSLAB_UNITS_H

#include "superslab/heap.h"

typedef struct {
    uint64_t dirty_units;  // free, still occupying memory
    uint64_t clean_units;  // free, mapped
    uint64_t lost_units;   // see units_lose
    uint64_t moved_units;  // with pages moved into them, free or not
} UnitTotals;

extern HAK_INTERNAL UnitTotals unit_totals;

// Takes `length` units, the first at an address that is a multiple of `align` times 2 MiB.
// Their kind is UNIT_NONE until the caller sets it; `dirty` tells of each whether its memory may hold anything.
UnitNumber units_take(UnitNumber length, UnitNumber align);
// Takes the `length` units right behind a block if they are free.
bool units_take_behind(UnitNumber first, UnitNumber length);
// Gives units back; their `dirty` flags say what they hold.
void units_give(UnitNumber first, UnitNumber length);
// Units that the system has just mapped.
void units_add_fresh(UnitNumber first, UnitNumber length);
// Notes that the system has mapped these units anew, or that pages were moved into them.
void units_are_fresh(UnitNumber first, UnitNumber length);
void units_are_moved(UnitNumber first, UnitNumber length);
// Units whose mapping may be gone and could not be made again: out of use until units_recover() can.
void units_lose(UnitNumber first, UnitNumber length);
// Maps lost units again as far as the system lets it, and gives them back.
void units_recover(void);
// The longest-free dirty run, if it has been free since before `before` (ms); 0: none. For purge.c, which purges it and gives it
// back clean.
UnitNumber units_take_dirty_run(uint64_t before, UnitNumber* length);

#endif
