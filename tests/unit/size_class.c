#include "superslab/size_class.h"

#include "superslab/owner_word.h"
#include "unit.h"

static void every_size_has_the_smallest_class_that_holds_it(void** state) {
    (void)state;
    for (size_t size = 0; size <= SMALL_MAX; size++) {
        unsigned c = class_of_size(size);
        assert_in_range(c, CLASS_FIRST, CLASS_COUNT - 1);
        assert_true(size_of_class(c) >= size);
        if (c > CLASS_FIRST) assert_true(size_of_class(c - 1) < size);
    }
}

static void the_tables_of_the_fast_paths_agree(void** state) {
    (void)state;
    for (size_t size = 0; size <= TINY_MAX; size++)
        assert_int_equal(hak_tag_of_tiny[size], tag_of_class(class_of_size(size)));
    for (size_t size = TINY_MAX + 1; size <= SMALL_MAX; size++)
        assert_int_equal(hak_tag_of_small[(size - 1) / SMALL_STEP], tag_of_class(class_of_size(size)));
}

static void mallocs_are_sent_to_other_bins_and_back(void** state) {
    enum { OFFSET = 1000 };
    tags_count_mallocs(OFFSET);
    for (size_t size = 0; size <= TINY_MAX; size++)
        assert_int_equal(hak_tag_of_tiny[size], OFFSET + tag_of_class(class_of_size(size)));
    assert_int_equal(hak_small_hits, 0);
    tags_count_no_more();
    assert_int_equal(hak_small_hits, SMALL_MAX);
    the_tables_of_the_fast_paths_agree(state);
}

static void classes_grow_and_keep_16_bytes(void** state) {
    (void)state;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        assert_int_equal(size_of_class(c) % 16, 0);
        assert_int_equal(class_of_size(size_of_class(c)), c);
        if (c > CLASS_FIRST) assert_true(size_of_class(c) > size_of_class(c - 1));
        assert_true(class_capacity(c) >= 4);
        assert_true((size_t)class_capacity(c) * size_of_class(c) <= SLAB_SIZE);
    }
    assert_int_equal(size_of_class(CLASS_COUNT - 1), SMALL_MAX);
}

// Measured on the blocks that are handed out.
static void waste_is_at_most_a_ninth_to_8_kib_and_a_fifth_to_16(void** state) {
    (void)state;
    for (size_t size = 257; size <= SMALL_MAX; size++) {
        size_t given = size_of_class(class_of_size(size)), percent = (given - size) * 100 / given;
        assert_in_range(percent, 0, size <= DOUBLING_MAX ? 11 : 20);
    }
}

static void tags_of_classes_are_distinct_from_all_others(void** state) {
    (void)state;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        assert_true(tag_is_class(tag_of_class(c)));
        assert_true((tag_of_class(c) & ~TAG_BITS) == 0);
        assert_true(word_owner(0x7f0012345000 | tag_of_class(c)) == 0x7f0012345000);
        assert_true(word_tag(0x7f0012345000 | tag_of_class(c)) == tag_of_class(c));
    }
    const uint64_t others[] = {WORD_NOT_A_SLAB, TAG_RUNS, TAG_RUNS_REST, TAG_HUGE};
    for (unsigned i = 0; i < 4; i++) assert_false(tag_is_class(others[i]));
}

// owner_word.h: of an own slab, and of one without owner, a thread sees the tag; of another thread's slab it sees more.
// The test takes all pairs of addresses that differ in the lowest bits that addresses have, in the highest, or in both.
static void what_a_thread_sees_of_another_s_slab_is_no_tag(void** state) {
    (void)state;
    enum { BITS = 6, ADDRESSES = 1 << (2 * BITS) };
    uint64_t part[ADDRESSES];
    for (uint64_t i = 0; i < ADDRESSES; i++) {
        uint64_t address = (i % (1 << BITS)) << 12 | (i >> BITS) << 41;
        part[i] = owner_part_of(address);
        assert_true(word_owner(part[i] | TAG_BITS) == address);
    }
    const uint64_t tag = tag_of_class(CLASS_COUNT - 1);
    for (int mine = 0; mine < ADDRESSES; mine++) {
        assert_true(((part[mine] | tag) & ~part[mine]) == tag);
        assert_true((tag & ~part[mine]) == tag);
        for (int other = 0; other < ADDRESSES; other++)
            if (other != mine && ((part[other] | tag) & ~part[mine]) <= TAG_BITS)
                fail_msg("a slab of TCB %d looks like one of %d", other, mine);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(the_tables_of_the_fast_paths_agree),
        cmocka_unit_test(mallocs_are_sent_to_other_bins_and_back),
        cmocka_unit_test(classes_grow_and_keep_16_bytes),
        cmocka_unit_test(waste_is_at_most_a_ninth_to_8_kib_and_a_fifth_to_16),
        cmocka_unit_test(tags_of_classes_are_distinct_from_all_others),
        cmocka_unit_test(what_a_thread_sees_of_another_s_slab_is_no_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
