// Sets of hashes: each counts as new once, and a set that may have no more hashes keeps none.
#include "unit/unit.h"

#include "runtime/hash_set.h"

enum { MANY = 10000 };

static void a_hash_is_new_once(void** state) {
    (void)state;
    HashSet set = {0};
    assert_false(hash_set_has(&set, (Hash){0, 1}));
    for (uint64_t i = 0; i < MANY; i++) assert_true(hash_set_add(&set, (Hash){i, i + 1}));
    for (uint64_t i = 0; i < MANY; i++) assert_true(hash_set_has(&set, (Hash){i, i + 1}));
    assert_false(hash_set_has(&set, (Hash){MANY, MANY + 1}));
    for (uint64_t i = 1; i < MANY; i++) assert_false(hash_set_add(&set, (Hash){i, i + 1}));
    assert_int_equal(set.count, MANY);
    hash_set_clear(&set);
}

static void a_full_set_keeps_no_more(void** state) {
    (void)state;
    HashSet set = {.most = MANY / 2};
    for (uint64_t i = 1; i <= MANY; i++) assert_true(hash_set_add(&set, (Hash){i, i}));
    assert_int_equal(set.count, MANY / 2);
    assert_false(hash_set_add(&set, (Hash){MANY / 2, MANY / 2}));
    assert_true(hash_set_add(&set, (Hash){MANY, MANY}));
    uint64_t size = set.size;
    hash_set_clear(&set);
    assert_true(size < 4 * MANY);
    assert_int_equal(set.most, MANY / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_new_once),
        cmocka_unit_test(a_full_set_keeps_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
