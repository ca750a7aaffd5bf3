// Closed memory (HAKMEM_CLOSE=1, and guard mode): free memory cannot be read or written. So a program that uses what it
// has freed, or writes far past a block, stops at once. What is freed is closed, and opened when it is taken again.
// Free slabs are closed when they go back to the system, in guard mode at once; those never taken are closed from the
// start.
//
//   free units, free slabs       unit.closed_slabs: bit i set = slab i of the unit may be inaccessible
//   the tail of a huge block     the same, of its last unit
//   free pages of page runs,     RunMap.closed: bit p set = page p may be inaccessible; kept by the SuperSlab's owner,
//   and the gap behind a run     and no bit of the unit is set
//
// The system allows about 65000 mappings, and each closed place may take two. Beyond CLOSED_MOST places memory stays
// open when it is freed, and no place is split when part of it is taken. If the program's own mappings leave too few,
// so that memory cannot be opened, everything is opened and nothing is closed any more.
// Thread-safety: under heap_lock, except the functions of page runs.
// Errors: what cannot be closed stays open; what cannot be opened cannot be taken.
#ifndef HAK_SUPERSLAB_CLOSED_H
#define HAK_SUPERSLAB_CLOSED_H

#include "config/options.h"
#include "superslab/heap.h"

enum { CLOSED_MOST = 12288 };

// Whether nothing has stopped closing so far.
HAK_COLD bool closing_goes_on(void);
// Whether memory is closed when it is freed. An option may come after the first blocks, and closing may stop: whether
// memory has to be opened depends on its bit alone.
HAK_INLINE bool closing_wanted(void) {
    return hak_option(close) != 0 || (HAK_CHECKED && hak_option(guard) != 0);
}
HAK_INLINE bool closing_on(void) {
    return HAK_UNLIKELY(closing_wanted()) && closing_goes_on();
}

void units_close(UnitNumber first, UnitNumber length);
// For a unit that becomes a SuperSlab of slabs: closes all of it, and parts are soon opened.
void unit_close_to_cut(UnitNumber u);
bool units_open(UnitNumber first, UnitNumber length);
void slab_close(SlabNumber s);
bool slab_open(SlabNumber s);
// Closes the pages of a huge block's last unit from page `pages` on; 0: there are none. units_open opens them.
void tail_close(UnitNumber last, size_t pages);
// Notes that the system has mapped these units anew, so that they are open.
void units_are_open(UnitNumber first, UnitNumber length);

// A SuperSlab of page runs, for its owner.
typedef struct {
    UnitNumber unit;
    uint64_t* closed;  // of its map
} RunPages;

void pages_close(RunPages of, uint32_t page, uint32_t pages);
bool pages_open(RunPages of, uint32_t page, uint32_t pages);
// The SuperSlab is new: closes all of it.
void pages_close_to_cut(RunPages of);
// The SuperSlab becomes a unit like others: its closed pages count as closed slabs. Under heap_lock.
void pages_become_slabs(RunPages of);
// For the holder of a page run, whoever owns its SuperSlab, and which the owner opens: closes the run except its first
// `kept` pages. false: it is open.
bool run_close(void* run, uint32_t pages, uint32_t kept);
// Opens the first page of it, or all of it.
bool run_open(void* run, uint32_t pages);

#endif
