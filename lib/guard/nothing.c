#include "guard/nothing.h"

#include "superslab/guard_record.h"
#include "superslab/superslab.h"

enum { STEP = 32, PLACES = UNIT_SIZE / STEP };
_Static_assert(SLAB_SIZE / STEP <= HAK_GUARD_SLAB_RECORDS, "each place has a record");

static _Atomic UnitNumber the_unit;  // 0: none yet
static _Atomic bool none_to_get;

static void make_unit(void) {
    UnitNumber u = superslab_take_closed_unit();
    for (SlabNumber s = first_slab(u); u && s < first_slab(u) + SLABS_PER_UNIT; s++) guard_slab_made(s, STEP);
    UnitNumber none = 0;
    if (u == 0)
        store_relaxed(&none_to_get, true);
    else if (!cas_release(&the_unit, &none, u))  // pairs with the acquire in nothing_take
        superslab_give_closed_unit(u);
}

// A place of a block that was freed, or never given out, becomes the caller's.
static void* take_at(UnitNumber u, uint32_t i) {
    void* block = (char*)unit_address(u) + (size_t)i * STEP;
    GuardPlace place = guard_place(block);
    if (place.record == NULL) return NULL;
    uint64_t word = load_relaxed(&place.record->word), taken = guard_word(HAK_GUARD_NONE, HAK_GUARD_MALLOC, 0);
    bool is_free = word == 0 || guard_state(word) == HAK_GUARD_FREE;
    return is_free && cas_acquire(&place.record->word, &word, taken) ? block : NULL;  // pairs as in begin (guard.c)
}

void* nothing_take(void) {
    enum { TRIES = 64 };
    static _Atomic uint32_t next;
    if (load_acquire(&the_unit) == 0 && !load_relaxed(&none_to_get))
        make_unit();  // pairs with the release in make_unit
    UnitNumber u = load_acquire(&the_unit);
    void* block = NULL;
    for (int i = 0; u && block == NULL && i < TRIES; i++) block = take_at(u, add_relaxed(&next, 1u) % PLACES);
    return block;
}

bool is_nothing(const void* block) {
    UnitNumber u = load_relaxed(&the_unit);
    return u != 0 && heap_contains(block) && unit_of_slab((SlabNumber)slab_number_of(block)) == u;
}
