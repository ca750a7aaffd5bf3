#include "count/counters.h"

#include "unit.h"

#include <string.h>

static void every_counter_is_described(void** state) {
    (void)state;
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++) {
        assert_non_null(hak_counter_name(i));
        assert_true(strlen(hak_counter_group(i)) > 0);
        assert_true(strlen(hak_counter_help(i)) > 10);
        for (unsigned j = 0; j < i; j++) assert_string_not_equal(hak_counter_name(i), hak_counter_name(j));
    }
    assert_null(hak_counter_name(HAK_COUNTER_COUNT));
}

static void stages_stand_in_pairs_and_in_order(void** state) {
    (void)state;
    static const char* const stages[] = {"tls_slab", "sticky",    "hot",   "bench",    "mailbox",
                                         "adopt",    "mmap_gate", "fresh", "superslab"};
    for (unsigned i = 0; i < sizeof stages / sizeof *stages; i++) {
        const char* tried = hak_counter_name(HAK_C_tls_slab_tried + 2 * i);
        const char* hit = hak_counter_name(HAK_C_tls_slab_tried + 2 * i + 1);
        assert_memory_equal(tried, stages[i], strlen(stages[i]));
        assert_string_equal(tried + strlen(stages[i]), "_tried");
        assert_memory_equal(hit, stages[i], strlen(stages[i]));
        assert_string_equal(hit + strlen(stages[i]), "_hit");
    }
}

static void adding(void** state) {
    (void)state;
    static HakCounters counters;
    counter_add(&counters, HAK_C_drain, 3);
    counter_add(&counters, HAK_C_drain, 4);
    assert_int_equal(load_relaxed(&counters.value[HAK_C_drain]), 7);
    uint64_t before = load_relaxed(&hak_counters_shared.value[HAK_C_syscall_mmap]);
    counter_add_shared(HAK_C_syscall_mmap, 2);
    assert_int_equal(load_relaxed(&hak_counters_shared.value[HAK_C_syscall_mmap]), before + 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_is_described),
        cmocka_unit_test(stages_stand_in_pairs_and_in_order),
        cmocka_unit_test(adding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
