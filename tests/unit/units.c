// Runs of units, against an oracle that knows who holds every unit.
#include "superslab/units.h"

#include "os/os.h"
#include "superslab/purge.h"
#include "superslab/superslab.h"
#include "superslab/supply.h"
#include "support/test.h"
#include "unit.h"

#include <string.h>
#include <sys/mman.h>

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
    UnitNumber first = supply_units(length, align);
    assert_int_not_equal(first, 0);
    assert_int_equal((uintptr_t)unit_address(first) % ((uintptr_t)align << UNIT_SHIFT), 0);
    assert_true(first + length <= hak_heap.mapped);
    for (UnitNumber u = first; u < first + length; u++) {
        assert_int_equal(taken[u], 0);
        taken[u] = 1;
        if (!hak_heap.unit[u].dirty) assert_int_equal(*(uint64_t*)unit_address(u), 0);  // clean memory reads as zero
        *(uint64_t*)unit_address(u) = 0xd1;
    }
    *h = (Held){first, length};
}

static void grow(Held* h, UnitNumber more) {
    if (!supply_units_behind(h->first + h->length, more)) return;
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
    assert_true(hak_heap.mapped < UNITS);  // memory was reused: the heap did not grow
    // everything is joined again: all units are free and clean, and can be taken as one run
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

static bool is_mapped(UnitNumber u) {
    unsigned char resident[UNIT_SIZE / 4096];
    return mincore(unit_address(u), UNIT_SIZE, resident) == 0;
}

static void trimmed_units_are_absent_and_come_again(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    purge_everything_free();
    Held a, b, both;
    take(&a, 2, 1);
    take(&b, 3, 1);
    UnitNumber first = a.first;
    assert_int_equal(b.first, first + 2);
    give(&a, true);
    give(&b, false);
    uint64_t absent = hak_heap.absent, units = heap_units();
    assert_true(purge_everything_free());
    assert_false(is_mapped(first));
    assert_false(is_mapped(first + 4));
    assert_int_equal(unit_totals.dirty_units + unit_totals.clean_units, 0);
    assert_true(hak_heap.absent >= absent + 5 && heap_units() <= units - 5);
    take(&both, 5, 1);  // joined
    assert_int_equal(both.first, first);
    assert_true(is_mapped(first + 4));
    give(&both, true);
    hak_unlock(&heap_lock);
}

static void what_others_map_into_a_hole_is_left_alone(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    Held a, b;
    take(&a, 3, 1);
    UnitNumber first = a.first;
    give(&a, true);
    purge_everything_free();
    char* foreign = mmap((char*)unit_address(first + 1) + 4096, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(foreign, (char*)unit_address(first + 1) + 4096);
    *foreign = 'f';
    UnitNumber gaps = hak_heap.gaps;
    take(&b, 3, 1);
    assert_true(b.first > first + 1 || b.first + 3 <= first + 1);
    assert_int_equal(hak_heap.gaps, gaps + 1);
    assert_int_equal(*foreign, 'f');
    assert_int_equal(hak_heap.unit[first + 1].kind, UNIT_NONE);
    give(&b, true);
    purge_everything_free();
    assert_int_equal(*foreign, 'f');
    hak_unlock(&heap_lock);
}

static void a_locked_page_keeps_no_run(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    purge_everything_free();
    Held a;
    take(&a, 4, 1);
    UnitNumber first = a.first;
    bool locked = mlock((char*)unit_address(first + 2) + 8192, 1) == 0;
    give(&a, true);
    purge_rest(0);
    assert_int_equal(unit_totals.dirty_units, 0);
    take(&a, 4, 1);
    for (UnitNumber u = first; locked && u < first + 4; u++) assert_int_equal(((char*)unit_address(u))[8192], 0);
    give(&a, true);
    hak_unlock(&heap_lock);
    if (!locked) skip();
}

static void what_the_system_refuses_is_not_asked_for_again_at_once(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    purge_everything_free();
    Held a;
    take(&a, 4, 1);
    give(&a, true);
    os_fault_arm(1, UINT64_MAX);
    purge_rest(0);
    uint64_t calls = os_fault_calls();
    assert_true(calls > 0 && calls < 10);
    for (int i = 0; i < 100; i++) purge_aged(os_clock_ms() + 1000 + (uint64_t)i);
    assert_int_equal(os_fault_calls(), calls);
    os_fault_arm(0, 0);
    assert_int_equal(unit_totals.dirty_units, 4);
    purge_rest(0);
    assert_int_equal(unit_totals.dirty_units, 0);
    hak_unlock(&heap_lock);
}

static void what_others_map_behind_a_lost_piece_is_left_alone(void** state) {
    (void)state;
    enum { BYTES = 5 * OS_PAGE };
    hak_lock(&heap_lock);
    Held a;
    take(&a, 1, 1);
    char* behind = (char*)unit_address(a.first) + BYTES;
    assert_true(os_unmap(behind, UNIT_SIZE - BYTES));
    os_fault_arm(1, 1);
    units_unmap_or_lose(a.first, 1, BYTES);
    os_fault_arm(0, 0);
    assert_int_equal(unit_totals.lost_units, 1);
    assert_ptr_equal(mmap(behind, OS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                     behind);
    *behind = 'x';
    units_recover();
    assert_int_equal(unit_totals.lost_units, 0);
    assert_int_equal(*behind, 'x');
    assert_true(os_unmap(behind, OS_PAGE));
    taken[a.first] = 0;
    hak_unlock(&heap_lock);
}

static void what_was_free_in_a_copy_is_forgotten(void** state) {
    (void)state;
    hak_lock(&heap_lock);
    Held a, b, c;
    take(&a, 4, 1);
    take(&b, 3, 1);
    give(&a, true);
    UnitNumber mapped = hak_heap.mapped, in_use = b.length;
    for (UnitNumber u = 1; u < mapped; u++)
        if (!taken[u] && hak_heap.unit[u].kind == UNIT_FREE)
            hak_heap.unit[u].next = hak_heap.unit[u].length = u;  // half changed
    for (UnitNumber u = b.first; u < b.first + b.length; u++) hak_heap.unit[u].kind = UNIT_HUGE_REST;
    superslab_forget_free();
    assert_int_equal(unit_totals.dirty_units + unit_totals.clean_units + hak_heap.absent, 0);
    assert_int_equal(heap_units(), in_use);
    take(&c, 2, 1);
    assert_true(c.first >= mapped);
    give(&b, true);
    assert_int_equal(unit_totals.dirty_units, in_use);
    give(&c, false);
    hak_unlock(&heap_lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_takes_and_gives),
        cmocka_unit_test(dirty_units_are_reused_first),
        cmocka_unit_test(trimmed_units_are_absent_and_come_again),
        cmocka_unit_test(what_others_map_into_a_hole_is_left_alone),
        cmocka_unit_test(a_locked_page_keeps_no_run),
        cmocka_unit_test(what_the_system_refuses_is_not_asked_for_again_at_once),
        cmocka_unit_test(what_others_map_behind_a_lost_piece_is_left_alone),
        cmocka_unit_test(what_was_free_in_a_copy_is_forgotten),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
