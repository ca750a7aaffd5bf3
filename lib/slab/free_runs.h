// The free runs of the SuperSlabs in a thread's list, in lists by their length. So a run is found, and the rest of it
// listed, in a number of steps that does not depend on how much the thread owns. Runs shorter than any that is asked
// for are in no list.
//
//   list:   | 5 | 6 | ... | 64 | to 72 | ... | to 128 | to 144 | ... | to 256 | to 288 | ... | to 512 |   pages
//   free_run_some: bit l: list l is not empty
//   a reference: unit * 512 + page; 0: none.       The links are in the map (superslab/heap.h)
//
// Source: M. Masmano et al., "TLSF: a New Dynamic Memory Allocator for Real-Time Systems" (2004).
// Thread-safety: the owner alone.
// Errors: none.
#ifndef HAK_SLAB_FREE_RUNS_H
#define HAK_SLAB_FREE_RUNS_H

#include "slab/run_map.h"

// Puts a free run into its list, or takes it out.
void free_runs_add(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages);
void free_runs_remove(HakTcb* me, OwnedRuns runs, uint32_t page, uint32_t pages);
// Does so for all of a SuperSlab.
void free_runs_add_all(HakTcb* me, OwnedRuns runs);
void free_runs_remove_all(HakTcb* me, OwnedRuns runs);

typedef struct {
    SlabNumber first;  // first slab of its SuperSlab; 0: none
    RunFit fit;
} FreeRun;

// Finds about the shortest run that holds `pages` pages at a multiple of `align` pages.
FreeRun free_runs_find(const HakTcb* me, uint32_t pages, uint32_t align);
// Whether a SuperSlab, except `but`, has more than half of its pages in one free run. It serves nearly any request.
bool free_runs_has_spare(const HakTcb* me, SlabNumber but);
// Number of violated invariants, each described on stderr.
size_t free_runs_check(const HakTcb* me);

#endif
