#include "slab/size_class.h"

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

static void classes_grow_and_keep_16_bytes(void** state) {
    (void)state;
    for (unsigned c = CLASS_FIRST; c < CLASS_COUNT; c++) {
        assert_int_equal(size_of_class(c) % 16, 0);
        assert_int_equal(class_of_size(size_of_class(c)), c);
        if (c > CLASS_FIRST) assert_true(size_of_class(c) > size_of_class(c - 1));
        assert_true(class_capacity(c) >= 8);
        assert_true((size_t)class_capacity(c) * size_of_class(c) <= SLAB_SIZE);
    }
    assert_int_equal(size_of_class(CLASS_COUNT - 1), SMALL_MAX);
}

static void waste_is_at_most_one_eighth_from_256_bytes(void** state) {
    (void)state;
    for (size_t size = 256; size <= SMALL_MAX; size++) {
        size_t waste = size_of_class(class_of_size(size)) - size;
        // of what is handed out
        assert_true(waste * 8 <= size_of_class(class_of_size(size)));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(the_tables_of_the_fast_paths_agree),
        cmocka_unit_test(classes_grow_and_keep_16_bytes),
        cmocka_unit_test(waste_is_at_most_one_eighth_from_256_bytes),
        cmocka_unit_test(tags_of_classes_are_distinct_from_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
