// The parts of sampled guard pages: intervals, slots, and which block a wrong access was meant for.
#include "sample/sample.h"

#include "base/random.h"
#include "os/os.h"
#include "sample/suspect.h"
#include "unit.h"

enum { COUNT = 16, PAGE = 4096 };

static const SampleCall nobody;

static int map(void** state) {
    (void)state;
    return slots_map(COUNT, true) ? 0 : -1;
}

static Slot* live(size_t alignment, size_t size, bool at_end) {
    Slot* slot = slot_take();
    assert_non_null(slot);
    assert_true(slot_open(slot, alignment, size, at_end));
    assert_int_equal(slot_state(slot), SLOT_LIVE);
    return slot;
}

static void drop(Slot* slot) {
    assert_true(slot_seize(slot));
    slot_close(slot);
}

static void intervals_have_the_mean_that_was_asked_for(void** state) {
    (void)state;
    static const int64_t means[] = {1, 2, 100, 5000};
    uint64_t random = 4711;
    enum { DRAWS = 20000 };
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        int64_t sum = 0, most = 0;
        for (int n = 0; n < DRAWS; n++) {
            int64_t drawn = sample_interval(random_of(&random), means[i]);
            assert_in_range(drawn, 0, 2 * means[i] - 2);
            sum += drawn + 1;  // the sample itself
            if (drawn > most) most = drawn;
        }
        int64_t mean = sum / DRAWS;
        assert_in_range(mean, means[i] * 97 / 100, means[i] * 103 / 100);
        assert_in_range(most, (2 * means[i] - 2) * 98 / 100, 2 * means[i] - 2);
    }
}

static void blocks_are_flush_and_aligned(void** state) {
    (void)state;
    for (size_t alignment = 1; alignment <= PAGE; alignment *= 2)
        for (size_t size = 1; size <= SLOT_BYTES; size += 1 + size / 3) {
            size_t step = alignment > 16 ? alignment : 16;
            Slot* slot = live(alignment, size, true);
            char* end = slot_start(slot) + SLOT_BYTES;
            assert_int_equal((uintptr_t)slot->block % step, 0);
            assert_in_range(end - (slot->block + size), 0, step - 1);
            assert_ptr_equal(slot->open + slot->open_bytes, end);
            assert_in_range(slot->block - slot->open, 0, PAGE - 1);
            drop(slot);
            slot = live(alignment, size, false);
            assert_ptr_equal(slot->block, slot_start(slot));
            assert_ptr_equal(slot->open, slot->block);
            assert_in_range(slot->open_bytes - size, 0, PAGE - 1);
            drop(slot);
        }
}

// What is open is the program's; everything else in the region is closed.
static void only_the_pages_of_a_block_are_open(void** state) {
    (void)state;
    for (size_t size = 0; size <= SLOT_BYTES; size += 1500)
        for (int side = 0; side < 2; side++) {
            Slot* slot = live(1, size, side != 0);
            char* start = slot_start(slot);
            for (char* page = start - PAGE; page <= start + SLOT_BYTES; page += PAGE)
                assert_int_equal(os_can_read(page), page >= slot->open && page < slot->open + slot->open_bytes);
            drop(slot);
            for (char* page = start - PAGE; page <= start + SLOT_BYTES; page += PAGE) assert_false(os_can_read(page));
        }
}

static void a_slot_is_used_again_after_all_others(void** state) {
    (void)state;
    Slot* slots[COUNT];
    for (int i = 0; i < COUNT; i++) slots[i] = live(1, 100, true);
    assert_null(slot_take());
    static const int order[COUNT] = {3, 1, 15, 0, 7, 2, 9, 4, 14, 5, 13, 6, 12, 8, 11, 10};
    for (int i = 0; i < COUNT; i++) drop(slots[order[i]]);
    for (int i = 0; i < COUNT; i++) {
        Slot* slot = live(1, 100, true);
        assert_ptr_equal(slot, slots[order[i]]);
        drop(slot);
    }
}

static void a_closed_slot_is_not_seized_or_used_when_kept(void** state) {
    (void)state;
    Slot* slot = live(1, 100, true);
    drop(slot);
    assert_false(slot_seize(slot));
    SlotView view;
    slot_view(slot, &view);
    assert_true(slot_hold(slot, &view));
    for (int i = 0; i < 3 * COUNT; i++) {
        Slot* other = live(1, 100, true);
        assert_ptr_not_equal(other, slot);
        drop(other);
    }
}

static void damage_is_found_on_both_sides(void** state) {
    (void)state;
    Slot* slot = live(1, 20, true);
    assert_int_equal(slot_damage(slot).count, 0);
    slot->block[20] = 1;
    slot->block[-3] = 1;
    SlotDamage damage = slot_damage(slot);
    assert_ptr_equal(damage.first, slot->block + 20);
    assert_int_equal(damage.count, 1);
    assert_false(damage.before);
    slot->block[20] = slot->block[21];
    damage = slot_damage(slot);
    assert_ptr_equal(damage.first, slot->block - 3);
    assert_true(damage.before);
    drop(slot);
    slot = live(1, 20, false);
    slot->block[20] = slot->block[22] = 1;
    assert_int_equal(slot_damage(slot).count, 3);
    drop(slot);
}

// Two neighbours: the guard page between them is told of the live one, or else of the nearer one.
static void an_access_between_blocks_is_the_nearer_ones(void** state) {
    (void)state;
    Slot *slots[COUNT], *left = NULL, *right = NULL;
    int count = 0;
    for (Slot* slot; count < COUNT && (slot = slot_take()) != NULL; count++) {
        assert_true(slot_open(slot, 1, 32, count % 2 == 0));
        slots[count] = slot;
    }
    for (int i = 0; i < count; i++) {
        if (left == NULL || slots[i] < left) left = slots[i];
    }
    for (int i = 0; i < count; i++)
        if (slots[i] == left + 1) right = slots[i];
    assert_non_null(right);
    drop(left);
    drop(right);
    Slot *again[COUNT], *a = NULL, *b = NULL;
    for (int i = 0; i < 2; i++) again[i] = slot_take();
    a = again[0] < again[1] ? again[0] : again[1];
    b = again[0] < again[1] ? again[1] : again[0];
    assert_ptr_equal(a + 1, b);
    assert_true(slot_open(a, 1, 32, true) && slot_open(b, 1, 32, false));
    char *between = slot_start(b) - PAGE, *at = between;
    Suspect suspect = suspect_of(at, &nobody);
    assert_ptr_equal(suspect.slot, a);
    assert_string_equal(suspect.check, "overflow");
    assert_int_equal(suspect.distance, 0);
    suspect = suspect_of(slot_start(b) - 1, &nobody);
    assert_ptr_equal(suspect.slot, b);
    assert_string_equal(suspect.check, "underflow");
    assert_int_equal(suspect.distance, 1);
    drop(b);
    suspect = suspect_of(slot_start(b) - 1, &nobody);
    assert_ptr_equal(suspect.slot, a);
    assert_int_equal(suspect.distance, PAGE - 1);
    drop(a);
    assert_string_equal(suspect_of(a->block + 1, &nobody).check, "use_after_free");
    for (int i = 0; i < count; i++)
        if (slots[i] != left && slots[i] != right) drop(slots[i]);
}

static void a_torn_page_is_closed_for_the_next_block(void** state) {
    (void)state;
    Slot* slot = live(1, 32, true);
    char* guard = slot_start(slot) + SLOT_BYTES;
    assert_true(slot_tear(guard) && slot_tear(slot_start(slot)));
    assert_true(os_can_read(guard) && os_can_read(slot_start(slot)));
    drop(slot);
    for (int i = 0; i < 2 * COUNT; i++) drop(live(1, 32, false));
    assert_false(os_can_read(guard) || os_can_read(slot_start(slot)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_have_the_mean_that_was_asked_for),
        cmocka_unit_test(blocks_are_flush_and_aligned),
        cmocka_unit_test(only_the_pages_of_a_block_are_open),
        cmocka_unit_test(a_slot_is_used_again_after_all_others),
        cmocka_unit_test(damage_is_found_on_both_sides),
        cmocka_unit_test(an_access_between_blocks_is_the_nearer_ones),
        cmocka_unit_test(a_torn_page_is_closed_for_the_next_block),
        cmocka_unit_test(a_closed_slot_is_not_seized_or_used_when_kept),
    };
    return cmocka_run_group_tests(tests, map, NULL);
}
