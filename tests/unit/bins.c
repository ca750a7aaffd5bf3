// refill/bins.h: blocks move between the two bins of a class, and none is lost.
#include "refill/bins.h"

#include "unit.h"

enum { MOST = 40 };
static _Alignas(16) unsigned char memory[MOST][16];

static void fill(TlsBin* bin, int blocks) {
    *bin = bin_empty();
    for (int i = blocks; i-- > 0;) {
        link_write(memory[i], bin_first(bin));
        bin->head = link_to_block(memory[i]);
        bin->room--;
    }
}

// Whether the bin has the blocks `first`, `first` + 1, ...
static void expect(const TlsBin* bin, int first, int blocks) {
    const void* at = bin_first(bin);
    for (int i = 0; i < blocks; i++, at = link_read(at)) assert_ptr_equal(at, memory[first + i]);
    assert_null(at);
    assert_int_equal(bin_blocks(bin), blocks);
}

static void a_list_is_cut_where_it_should_be(void** state) {
    (void)state;
    for (int blocks = 0; blocks <= BIN_FIRST_CAP; blocks++) {
        for (int most = 0; most <= blocks + 2; most++) {
            TlsBin from, to = bin_closed();
            int moved = most < blocks ? most : blocks;
            fill(&from, blocks);
            assert_int_equal(bin_split(&from, &to, (uint32_t)most), moved);
            expect(&to, 0, moved);
            expect(&from, moved, blocks - moved);
            bin_join(&to, &from);
            expect(&to, 0, 0);
            expect(&from, 0, blocks);
        }
    }
}

// A signal handler that interrupts a hit may find one block less than the bin's count says.
static void a_count_that_is_off_by_one_does_no_harm(void** state) {
    (void)state;
    TlsBin from, to = bin_closed();
    fill(&from, 3);
    from.room--;
    assert_int_equal(bin_split(&from, &to, INT32_MAX), 4);
    assert_ptr_equal(bin_first(&to), memory[0]);
    fill(&from, 3);
    from.room -= 2;
    to = bin_closed();
    assert_int_equal(bin_split(&from, &to, 4), 3);
    expect(&to, 0, 3);
    assert_null(bin_first(&from));
    fill(&from, 0);
    from.room--;
    to = bin_closed();
    assert_int_equal(bin_split(&from, &to, 9), 0);
}

static int set_up(void** state) {
    (void)state;
    link_init(false);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_cut_where_it_should_be),
        cmocka_unit_test(a_count_that_is_off_by_one_does_no_harm),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
