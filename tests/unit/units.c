// Runs of units against an oracle that knows who holds every unit.
#include "superslab/units.h"

#include "superslab/purge.h"
#include "support/test.h"
#include "unit.h"

#include <string.h>

enum { UNITS = 2000, HOLDERS = 60 };

typedef struct {
    UnitNumber first, length;
} Held;

static Held held[HOLDERS];
static uint8_t taken[1 << 16];  // by unit number

static int start(void** state) {
    (void)state;
    return heap_init() ? 0 : -1;
}

static uint64_t held_units(void) {
    uint64_t total = 0;
    for (int i = 0; i < HOLDERS; i++) total += held[i].length;
    return total;
}

static void give(Held* h, bool dirty) {
    for (UnitNumber u = h->first; u < h->first + h->length; u++) {
        assert_int_equal(taken[u], 1);
        taken[u] = 0;
        hak_heap.unit[u].dirty = dirty;
    }
    units_give(h->first, h->length);
    *h = (Held){0, 0};
}

static void take(Held* h, UnitNumber length, UnitNumber align) {
    UnitNumber first = units_take(length, align);
    assert_int_not_equal(first, 0);
    assert_int_equal((uintptr_t)unit_address(first) % ((uintptr_t)align << UNIT_SHIFT), 0);
    assert_true(first + length <= hak_heap.mapped);
    for (UnitNumber u = first; u < first + length; u++) {
        assert_int_equal(taken[u], 0);
        taken[u] = 1;
        if (!hak_heap.unit[u].dirty) assert_int_equal(*(uint64_t*)unit_address(u), 0);  // clean reads as zero
        *(uint64_t*)unit_address(u) = 0xd1;
    }
    *h = (Held){first, length};
}

static void grow(Held* h, UnitNumber more) {
    if (!units_take_behind(h->first + h->length, more)) return;
    for (UnitNumber u = h->first + h->length; u < h->first + h->length + more; u++) {
        assert_int_equal(taken[u], 0);
        taken[u] = 1;
    }
    h->length += more;
}

static void random_takes_and_gives(void** state) {
    (void)state;
    Random random = {42};
    hak_lock(&heap_lock);
    for (int i = 0; i < 20000; i++) {
        Held* h = &held[random_below(&random, HOLDERS)];
        if (h->length == 0) {
            UnitNumber length = 1 + (UnitNumber)random_below(&random, random_below(&random, 10) == 0 ? 80 : 6);
            take(h, length, (UnitNumber)1 << random_below(&random, 4));
        } else if (random_below(&random, 5) == 0)
            grow(h, 1 + (UnitNumber)random_below(&random, 3));
        else
            give(h, true);
        if (i % 500 == 0) purge_free(random_below(&random, 100) << UNIT_SHIFT);
        uint64_t free_units = unit_totals.dirty_units + unit_totals.clean_units + hak_heap.absent;
        assert_int_equal(free_units + held_units(), hak_heap.mapped - 1);
    }
    for (int i = 0; i < HOLDERS; i++)
        if (held[i].length) give(&held[i], true);
    assert_true(hak_heap.mapped < UNITS);  // reuse, not growth
    // all joined again: everything is free, so one run of all clean units can be had
    purge_everything_free();
    assert_int_equal(unit_totals.dirty_units, 0);
    UnitNumber all = hak_heap.mapped - 1, before = hak_heap.mapped;
    Held whole;
    take(&whole, all, 1);
    assert_int_equal(hak_heap.mapped, before);
    give(&whole, true);
    hak_unlock(&heap_lock);
}

static void dirty_units_are_reused_first(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    purge_everything_free();
    Held a, b;
    take(&a, 3, 1);
    UnitNumber was = a.first;
    give(&a, true);
    take(&b, 3, 1);
    assert_int_equal(b.first, was);
    give(&b, true);
    hak_unlock(&heap_lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_takes_and_gives),
        cmocka_unit_test(dirty_units_are_reused_first),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
