#include "superslab/closed.h"

#include "config/options.h"
#include "os/os.h"

static uint32_t* mask_of(UnitNumber u) {
    return &hak_heap.unit[u].closed_slabs;
}

static uint32_t bit_of(SlabNumber s) {
    return 1u << (s % SLABS_PER_UNIT);
}

// If it fails half-way, the mask says closed all the same, and opening will be tried.
void units_close(UnitNumber first, UnitNumber length) {
    if (!hak_option(guard)) return;
    os_protect(unit_address(first), (size_t)length << UNIT_SHIFT, false);
    for (UnitNumber u = first; u < first + length; u++) *mask_of(u) = UINT32_MAX;
}

bool units_open(UnitNumber first, UnitNumber length) {
    uint32_t some = 0;
    for (UnitNumber u = first; u < first + length; u++) some |= *mask_of(u);
    if (some == 0) return true;
    if (!os_protect(unit_address(first), (size_t)length << UNIT_SHIFT, true)) return false;
    for (UnitNumber u = first; u < first + length; u++) *mask_of(u) = 0;
    return true;
}

void slab_close(SlabNumber s) {
    if (!hak_option(guard)) return;
    os_protect(slab_address(s), SLAB_SIZE, false);
    *mask_of(unit_of_slab(s)) |= bit_of(s);
}

bool slab_open(SlabNumber s) {
    uint32_t* mask = mask_of(unit_of_slab(s));
    if ((*mask & bit_of(s)) == 0) return true;
    if (!os_protect(slab_address(s), SLAB_SIZE, true)) return false;
    *mask &= ~bit_of(s);
    return true;
}
