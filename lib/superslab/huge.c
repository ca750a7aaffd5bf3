#include "superslab/huge.h"

#include "base/fatal.h"
#include "config/zero.h"
#include "count/counters.h"
#include "os/os.h"
#include "superslab/backing.h"
#include "superslab/closed.h"
#include "superslab/owner_word.h"
#include "superslab/purge.h"
#include "superslab/supply.h"
#include "superslab/tails.h"
#include "superslab/units.h"

#include <string.h>

// Moved pages keep mappings apart, and the system allows about 65000 mappings.
enum { MOVED_UNITS_MOST = 8192 };

// The result may not fit a UnitNumber: callers check it first.
static size_t units_for(size_t size) {
    return (size + UNIT_SIZE - 1) >> UNIT_SHIFT;
}

static Unit* head(SlabNumber s) {
    return &hak_heap.unit[unit_of_slab(s)];
}

// Under heap_lock: units [from, from + length) become the rest of a huge block.
static void mark_units(UnitNumber from, UnitNumber length) {
    for (UnitNumber u = from; u < from + length; u++) hak_heap.unit[u].kind = UNIT_HUGE_REST;
}

// The tail is closed, but not where others are mapped in its place, or may soon be.
static void set_head(UnitNumber u, UnitNumber length, size_t size) {
    Unit* unit = &hak_heap.unit[u];
    unit->kind = UNIT_HUGE;
    unit->length = length;
    unit->size = size;
    if (unit->cut == 0) tail_close(huge_last_unit(u), tail_pages(size));
}

// Clears the units that are not known to be zero, and marks all of them dirty. They belong to the caller.
static void clear_dirty(UnitNumber first, UnitNumber length, size_t size, bool zero) {
    bool known = true;
    for (UnitNumber i = 0; i < length; i++) {
        Unit* unit = &hak_heap.unit[first + i];
        size_t at = (size_t)i << UNIT_SHIFT, bytes = size - at < UNIT_SIZE ? size - at : UNIT_SIZE;
        if (unit->dirty && zero) memset(unit_address(first + i), 0, bytes);
        known &= !unit->dirty;
        unit->dirty = 1;
    }
    if (zero && known) counter_add_shared(HAK_C_calloc_known_zero, 1);
}

static void clear_to(char* block, size_t from, size_t end) {
    memset(block + from, 0, end - from);
}

void* huge_alloc(size_t size, size_t alignment, bool zero) {
    size = align_up(size ? size : 1, os_page_bytes());
    if (units_for(size) >= hak_heap.capacity || units_for(alignment) >= hak_heap.capacity) return NULL;
    UnitNumber length = (UnitNumber)units_for(size), align = (UnitNumber)units_for(alignment);
    hak_lock(&heap_lock);
    UnitNumber u = supply_units(length, align ? align : 1);
    if (u) {
        counter_add_shared(HAK_C_huge_made, 1);
        if (hak_heap.unit[u].dirty) counter_add_shared(HAK_C_huge_reused, 1);
        mark_units(u, length);
        hak_heap.unit[u].cut = 0;
        set_head(u, length, size);
    }
    hak_unlock(&heap_lock);
    if (u == 0) return NULL;
    clear_dirty(u, length, size, zero);
    backing_fill(unit_address(u), size);
    // pairs with the acquires in free_uncached, block_bytes, is_block_start
    store_release(&hak_heap.owner[first_slab(u)], TAG_HUGE);
    return unit_address(u);
}

// Gives back the units of a block behind the first `length`. If the last unit's tail is cut, all of that unit is
// unmapped: something else may be mapped behind the cut by now.
static void give_behind(UnitNumber u, UnitNumber length) {
    UnitNumber last = huge_last_unit(u), end = last + 1;
    size_t cut = hak_heap.unit[u].cut;
    hak_heap.unit[u].cut = 0;
    if (cut) {
        units_unmap_or_lose(last, 1, cut << PAGE_SHIFT);
        end = last;
    }
    if (end > u + length) units_give(u + length, end - (u + length));
}

// Clears pages of a block that the program gives up, and may hardly have touched. If the system does not take them
// back, zeros are written.
static void clear_given_up(void* at, size_t bytes) {
    if (!os_purge(at, bytes)) memset(at, 0, bytes);
}

bool huge_free(SlabNumber s) {
    UnitNumber u = unit_of_slab(s);
    uint64_t word = TAG_HUGE;
    if (!cas_relaxed(&hak_heap.owner[s], &word, WORD_NOT_A_SLAB)) return false;
    if (zero_is(ZERO_FREE)) clear_given_up(unit_address(u), hak_heap.unit[u].size);
    hak_lock(&heap_lock);
    give_behind(u, 0);
    purge_tick();
    hak_unlock(&heap_lock);
    counter_add_shared(HAK_C_free_huge, 1);
    return true;
}

size_t huge_size(SlabNumber s) {
    return head(s)->size;
}

static void note_moved(UnitNumber old, UnitNumber u, UnitNumber length) {
    units_are_present(u, length);
    units_are_moved(u, length);
    units_are_absent(old, length);
}

// Moves one piece to units that are not mapped. The closed mapping made first keeps others out, and all that a limit
// counts beside the block is this piece.
static bool move_piece(UnitNumber old, UnitNumber u, UnitNumber length) {
    size_t bytes = (size_t)length << UNIT_SHIFT;
    if (!os_map_closed_unless(unit_address(u), bytes, NULL)) return false;
    if (!os_move(unit_address(old), unit_address(u), bytes)) {
        os_unmap(unit_address(u), bytes);  // counted if it fails: then the unit will be found occupied
        return false;
    }
    note_moved(old, u, length);
    return true;
}

static bool move_pieces(UnitNumber old, UnitNumber u, UnitNumber length) {
    enum { PIECE = 8 };
    for (UnitNumber done = 0, piece; done < length; done += piece) {
        piece = length - done < PIECE ? length - done : PIECE;
        if (move_piece(old + done, u + done, piece)) continue;
        // Back to the old place. Nothing is mapped there, unless another thread of the program did that just now.
        for (UnitNumber i = 0; i < done; i += PIECE)
            if (!move_piece(u + i, old + i, PIECE)) fatal("heap", "realloc", "the system moved only half of a block");
        return false;
    }
    return true;
}

// For use where a limit leaves no room for the old and the new units together: moves piece by piece. 0: not possible.
static UnitNumber move_tightly(UnitNumber old, UnitNumber old_length, UnitNumber length) {
    UnitNumber u = units_take_unmapped(length);
    if (u == 0) return 0;
    if (!units_map_absent(u + old_length, length - old_length)) {
        units_give(u, old_length);
        return 0;
    }
    if (move_pieces(old, u, old_length)) {
        units_give(old, old_length);
        return u;
    }
    units_give(u, length);
    return 0;
}

// Moves the pages of a block to new units, which are mapped. 0: not possible.
static UnitNumber move_at_once(UnitNumber old, UnitNumber old_length, UnitNumber length) {
    UnitNumber u = supply_units(length, 1);
    if (u == 0) return 0;
    if (!os_move(unit_address(old), unit_address(u), hak_heap.unit[old].size)) {
        units_unmap_or_lose(u, length, (size_t)length << UNIT_SHIFT);
        return 0;
    }
    units_are_moved(u, old_length);
    // Whole units: the tail of the last one may hold data of an earlier block.
    for (UnitNumber i = 0; i < old_length; i++) hak_heap.unit[old + i].kind = UNIT_NONE;
    units_unmap_or_lose(old, old_length, (size_t)old_length << UNIT_SHIFT);
    return u;
}

// Under heap_lock. Gives the old units back.
static UnitNumber move(UnitNumber old, UnitNumber length) {
    UnitNumber old_length = hak_heap.unit[old].length;
    if (unit_totals.moved_units + old_length > MOVED_UNITS_MOST) return 0;
    UnitNumber u = move_at_once(old, old_length, length);
    if (u == 0) u = move_tightly(old, old_length, length);
    if (u == 0) return 0;
    hak_heap.unit[old].cut = hak_heap.unit[u].cut = 0;
    return u;
}

// Lengthens a block in place, or moves it. Under heap_lock. 0: not possible.
static UnitNumber lengthen(UnitNumber u, UnitNumber length) {
    UnitNumber old_length = hak_heap.unit[u].length, result = u;
    hak_heap.unit[u].kind = UNIT_HUGE_REST;  // hides the block from tails_cut, which a purge for more memory calls
    if (supply_units_behind(u + old_length, length - old_length)) {
        mark_units(u + old_length, length - old_length);
    } else {
        result = move(u, length);
        if (result) mark_units(result, length);
    }
    if (result == 0) hak_heap.unit[u].kind = UNIT_HUGE;
    return result;
}

static bool tail_open(UnitNumber u) {
    return hak_heap.unit[u].cut != 0 || units_open(huge_last_unit(u), 1);
}

void* huge_resize(SlabNumber s, size_t size) {
    size = align_up(size, os_page_bytes());
    if (units_for(size) >= hak_heap.capacity) return NULL;
    UnitNumber u = unit_of_slab(s), length = (UnitNumber)units_for(size);
    size_t old_size = hak_heap.unit[u].size;
    if (zero_is(ZERO_FREE) && size < old_size) clear_given_up((char*)unit_address(u) + size, old_size - size);
    hak_lock(&heap_lock);
    UnitNumber old_length = hak_heap.unit[u].length, result = u;
    if (length < old_length) {
        give_behind(u, length);
        purge_tick();
    } else if (!tail_open(u) || !tail_map(u, length == old_length ? tail_pages(size) : 0)) {
        result = 0;
    } else if (length > old_length) {
        result = lengthen(u, length);
    }
    if (result) set_head(result, length, size);
    // Before the lock is released: the old units are free now, and whoever takes them writes this word.
    if (result && result != u) store_relaxed(&hak_heap.owner[s], WORD_NOT_A_SLAB);
    hak_unlock(&heap_lock);
    if (result == 0) return NULL;
    bool zero = zero_is(ZERO_ALLOC);
    size_t old_end = (size_t)old_length << UNIT_SHIFT;
    if (length > old_length) clear_dirty(result + old_length, length - old_length, size - old_end, zero);
    if (zero && size > old_size) clear_to((char*)unit_address(result), old_size, size < old_end ? size : old_end);
    if (result != u) {
        counter_add_shared(HAK_C_realloc_remapped, 1);
        // pairs with the acquires in free_uncached, block_bytes, is_block_start
        store_release(&hak_heap.owner[first_slab(result)], TAG_HUGE);
    } else
        counter_add_shared(HAK_C_realloc_in_place, 1);
    return unit_address(result);
}
