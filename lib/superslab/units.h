// Runs of free units: split and joined; dirty ones are reused first; purge.c gives them back to the system.
//
//   free run:  | first: length | ... | last: length |      neighbours find both ends, so joining takes no search
//
// There are dirty runs (pages still resident), clean ones (they read as zero) and absent ones (not mapped, so they cost
// nothing and count in no limit). They are kept apart: a run joins only with runs of its own kind.
//   dirty_units == sum of the lengths of all dirty runs; clean_units and hak_heap.absent likewise
// Thread-safety: all functions under heap_lock.
// Errors: 0 if there is no memory.
#ifndef HAK_SUPERSLAB_UNITS_H
#define HAK_SUPERSLAB_UNITS_H

#include "superslab/heap.h"

// Each hole adds a mapping, and the system allows about 65000.
enum { HOLES_MOST = 8192 };

typedef struct {
    uint64_t dirty_units;  // free, still occupying memory
    uint64_t clean_units;  // free, mapped
    uint64_t holes;        // absent runs
    uint64_t lost_units;   // see units_unmap_or_lose
    uint64_t moved_units;  // with pages moved into them, free or not
} UnitTotals;

extern HAK_INTERNAL UnitTotals unit_totals;

// Takes `length` units of one state; the address of the first is a multiple of `align` times 2 MiB. 0: there is no such
// run. Their kind is UNIT_NONE until the caller sets it. `dirty` says of each unit whether it may hold anything.
UnitNumber units_take_dirty(UnitNumber length, UnitNumber align);
UnitNumber units_take_clean(UnitNumber length, UnitNumber align);
// Takes absent units and maps them.
UnitNumber units_take_absent(UnitNumber length, UnitNumber align);
// Takes absent units and leaves them absent, so that pages can be moved there. Extends the heap if it has none.
UnitNumber units_take_unmapped(UnitNumber length);
// Adds at least `length` clean units at the end. false: there is no memory.
bool units_grow(UnitNumber length);
// Number of consecutive free units from `first` on, in any state.
UnitNumber units_free_from(UnitNumber first);
// Takes `length` units in any state from `first` on, as units_free_from reports them. false: absent units among them
// cannot be mapped.
bool units_take_at(UnitNumber first, UnitNumber length);
// Maps the absent ones of units that the caller took. false: all were given back.
bool units_map_absent(UnitNumber first, UnitNumber length);
// Gives units back. Their `dirty` flags say whether they may hold anything.
void units_give(UnitNumber first, UnitNumber length);
// Note that the system has mapped these units anew, or that pages were moved into them.
void units_are_fresh(UnitNumber first, UnitNumber length);
void units_are_moved(UnitNumber first, UnitNumber length);
// Note that these units, which the caller holds, are no longer mapped, or are mapped again.
void units_are_absent(UnitNumber first, UnitNumber length);
void units_are_present(UnitNumber first, UnitNumber length);
// Unmaps units that the caller holds, and may then give back. false: the system refuses, and nothing is changed.
bool units_unmap(UnitNumber first, UnitNumber length);
// Unmaps units of which only the first `bytes` are mapped, and gives them back. If the system refuses, they are out of
// use until units_recover() succeeds. What is behind `bytes` may be somebody else's and is left alone.
void units_unmap_or_lose(UnitNumber first, UnitNumber length, size_t bytes);
void units_recover(void);
// Unmaps free runs, dirty or clean ones, the longest first, until there would be too many holes. true: it unmapped
// some.
bool units_unmap_runs(bool dirty);
// Number of violated invariants of the free runs, each described on stderr: every one is in the list of its state and
// length, and joined with its neighbours.
size_t units_check(void);
// Forgets all free runs and counts the other units anew.
void units_forget_free(void);
// Gives back dirty units that the system refused to purge. They count as freed at `when`, which may be in the future.
void units_give_refused(UnitNumber first, UnitNumber length, uint64_t when);
// Takes the longest-free dirty run, if it has been free since before `before` (ms); 0: none. purge.c purges it and
// gives it back clean.
UnitNumber units_take_dirty_run(uint64_t before, UnitNumber* length);

#endif
