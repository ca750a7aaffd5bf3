// Runs of free units: split, joined, reused dirty ones first, given back to the system by purge.c.
//
//   free run:  | first: length | ... | last: length |      neighbours find both ends, so joining takes no search
//
// Dirty runs (pages still resident), clean ones (they read as zero) and absent ones (not mapped: they cost nothing, and count in no limit)
// are kept apart and joined with their own kind only.
//   dirty_units == sum of the lengths of all dirty runs; clean_units and hak_heap.absent likewise
// Thread-safety: everything under heap_lock. Errors: 0 when there is no memory.
#ifndef HAK_SUPERSLAB_UNITS_H
#define HAK_SUPERSLAB_UNITS_H

#include "superslab/heap.h"

// Each hole parts two mappings, and the system allows some 65000 of those.
enum { HOLES_MOST = 8192 };

typedef struct {
    uint64_t dirty_units;  // free, still occupying memory
    uint64_t clean_units;  // free, mapped
    uint64_t holes;        // absent runs
    uint64_t lost_units;   // see units_unmap_or_lose
    uint64_t moved_units;  // with pages moved into them, free or not
} UnitTotals;

extern HAK_INTERNAL UnitTotals unit_totals;

// Takes `length` units of one state, the first at an address that is a multiple of `align` times 2 MiB; 0: there is no such run.
// Their kind is UNIT_NONE until the caller sets it; `dirty` tells of each whether its memory may hold anything.
UnitNumber units_take_dirty(UnitNumber length, UnitNumber align);
UnitNumber units_take_clean(UnitNumber length, UnitNumber align);
// Absent ones, which are mapped for it.
UnitNumber units_take_absent(UnitNumber length, UnitNumber align);
// Absent ones, which stay so: for pages to be moved there. The heap gets longer if it has none.
UnitNumber units_take_unmapped(UnitNumber length);
// Adds at least `length` clean units behind the last one. false: there is no memory.
bool units_grow(UnitNumber length);
// Free units from `first` on, runs of any state.
UnitNumber units_free_from(UnitNumber first);
// Takes `length` units of any state that start with a free run, as units_free_from tells. false: what is absent cannot be mapped.
bool units_take_at(UnitNumber first, UnitNumber length);
// Maps what is absent of units that were taken. false: they were given back.
bool units_map_absent(UnitNumber first, UnitNumber length);
// Gives units back; their `dirty` flags say what they hold.
void units_give(UnitNumber first, UnitNumber length);
// Notes that the system has mapped these units anew, or that pages were moved into them.
void units_are_fresh(UnitNumber first, UnitNumber length);
void units_are_moved(UnitNumber first, UnitNumber length);
// Notes that units, which the caller holds, are no longer mapped, or are again.
void units_are_absent(UnitNumber first, UnitNumber length);
void units_are_present(UnitNumber first, UnitNumber length);
// Unmaps units, which the caller holds; they may then be given back. false: the system refuses, and nothing is changed.
bool units_unmap(UnitNumber first, UnitNumber length);
// Unmaps units of which a part may be unmapped already, what is mapped being in the first `bytes`, and gives them back. If the system
// refuses they are out of use until units_recover() can. What is behind `bytes` may be somebody else's, and is left alone.
void units_unmap_or_lose(UnitNumber first, UnitNumber length, size_t bytes);
void units_recover(void);
// Unmaps free runs, clean or dirty ones, the longest first; true: some went. Not all, if that would make too many holes.
bool units_unmap_runs(bool dirty);
// Forgets every free run, whatever state it is in, and counts the other units anew.
void units_forget_free(void);
// Gives dirty units back that the system refused to purge; they count as freed at `when`, which may be to come.
void units_give_refused(UnitNumber first, UnitNumber length, uint64_t when);
// The longest-free dirty run, if it has been free since before `before` (ms); 0: none. For purge.c, which purges it and gives it
// back clean.
UnitNumber units_take_dirty_run(uint64_t before, UnitNumber* length);

#endif
