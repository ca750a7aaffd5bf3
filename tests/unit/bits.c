#include "base/bits.h"

#include "unit.h"

static void powers_of_two(void** state) {
    (void)state;
    assert_false(is_pow2(0));
    for (unsigned i = 0; i < 64; i++) {
        size_t n = (size_t)1 << i;
        assert_true(is_pow2(n));
        assert_int_equal(log2_floor(n), i);
        assert_int_equal(lowest_bit(n), i);
        if (i > 1) {
            assert_false(is_pow2(n - 1));
            assert_false(is_pow2(n + 1));
            assert_int_equal(log2_floor(n - 1), i - 1);
            assert_int_equal(log2_floor(n + 1), i);
            assert_int_equal(lowest_bit(n + 1), 0);
        }
    }
}

static void alignment(void** state) {
    (void)state;
    for (uintptr_t align = 1; align <= 4096; align *= 2)
        for (uintptr_t n = 0; n < 3 * align + 2; n++) {
            uintptr_t up = align_up(n, align), down = align_down(n, align);
            assert_true(up % align == 0 && up >= n && up - n < align);
            assert_true(down % align == 0 && down <= n && n - down < align);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(powers_of_two), cmocka_unit_test(alignment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
