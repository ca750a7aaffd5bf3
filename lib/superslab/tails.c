#include "superslab/tails.h"

#include "os/os.h"
#include "superslab/backing.h"
#include "superslab/closed.h"
#include "superslab/units.h"

static void* page_of_last(UnitNumber u, size_t page) {
    return (char*)unit_address(huge_last_unit(u)) + (page << PAGE_SHIFT);
}

bool tails_cut(void) {
    bool some = false;
    unsigned holes = 0;
    for (UnitNumber u = 1; u < hak_heap.mapped && holes < HOLES_MOST; u++) {
        Unit* unit = &hak_heap.unit[u];
        if (unit->kind != UNIT_HUGE) continue;
        size_t pages = tail_pages(unit->size);
        if (unit->cut == 0 && pages) {
            // Set before the pages go: a copy of the process must not take for mapped what is not.
            unit->cut = (uint16_t)pages;
            if (os_unmap(page_of_last(u, pages), UNIT_SIZE - (pages << PAGE_SHIFT))) {
                units_are_open(huge_last_unit(u), 1);
                some = true;
            } else {
                unit->cut = 0;
            }
        }
        holes += unit->cut != 0;
        u = huge_last_unit(u);
    }
    return some;
}

bool tail_map(UnitNumber u, size_t pages) {
    size_t cut = hak_heap.unit[u].cut, end = pages ? pages : PAGES_PER_UNIT;
    if (cut == 0 || end <= cut) return true;
    if (!backing_map(page_of_last(u, cut), (end - cut) << PAGE_SHIFT, NULL)) return false;
    hak_heap.unit[u].cut = (uint16_t)pages;
    return true;
}
