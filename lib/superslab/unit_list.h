// A list of units, linked both ways by number through the table of units: SuperSlabs with free slabs, or free runs of
// one length by their first units.
//
//   first -> u -> ... -> last       prev of the first, and next of the last: 0
//
// Thread-safety: under heap_lock. Errors: none.
#ifndef HAK_SUPERSLAB_UNIT_LIST_H
#define HAK_SUPERSLAB_UNIT_LIST_H

#include "superslab/heap.h"

typedef struct {
    UnitNumber *first, *last;  // last: NULL where nobody asks for it
} UnitList;

HAK_INLINE void unit_list_push(UnitList list, UnitNumber u) {
    Unit* unit = &hak_heap.unit[u];
    unit->prev = 0;
    unit->next = *list.first;
    if (*list.first)
        hak_heap.unit[*list.first].prev = u;
    else if (list.last)
        *list.last = u;
    *list.first = u;
}

HAK_INLINE void unit_list_remove(UnitList list, UnitNumber u) {
    const Unit* unit = &hak_heap.unit[u];
    if (unit->prev)
        hak_heap.unit[unit->prev].next = unit->next;
    else
        *list.first = unit->next;
    if (unit->next)
        hak_heap.unit[unit->next].prev = unit->prev;
    else if (list.last)
        *list.last = unit->prev;
}

#endif
