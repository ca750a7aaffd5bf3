// The address space for a page for every block: its records can be read from outside by arithmetic alone, pages may be
// larger than 4 KiB, freed slots come back in their order, and a system call that fails changes nothing.
#include "os/os.h"
#include "superslab/page_access.h"
#include "superslab/page_extent.h"
#include "superslab/page_slots.h"
#include "unit.h"

#include <fcntl.h>
#include <hakmem/hakmem.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 16384, SHARD = 3 };

static int memory;
static int pipes[2];

static int start(void** state) {
    (void)state;
    hak_free(hak_malloc(1));  // the heap must have its place
    memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0 || pipe(pipes) != 0 || !page_region_begin(PAGE, false)) return -1;
    page_access_begin(64 << 20, 4000);
    return 0;
}

static uint64_t peek(uintptr_t address) {
    uint64_t value = 0;
    assert_int_equal(pread(memory, &value, sizeof value, (off_t)address), sizeof value);
    return value;
}

static uint32_t peek_half(uintptr_t address) {
    return (uint32_t)peek(address);
}

// As page_record.h says, with only what another process can see.
static uintptr_t find(uintptr_t address) {
    uintptr_t root = peek((uintptr_t)&hak_guard_root + offsetof(HakGuardRoot, pages)), base = peek(root + 16);
    uint32_t shift = peek_half(root + 28);
    uintptr_t extent = (address - base) >> (shift + 8);
    if (address < base || extent >= peek_half(root + 24)) return 0;
    uintptr_t chunks = root + offsetof(HakPageRoot, chunk), e = 0;
    for (int i = 0; i < 2; i++) {
        uintptr_t chunk = peek(chunks + 8 * (extent >> 8));
        e = chunk + 32 * (extent & 255);
        uint32_t back = peek_half(e + 8);
        if (peek_half(e) == 0 || (i == 1 && back)) return 0;
        extent -= back;
    }
    uintptr_t page = ((address - base) >> shift) - extent * 256;
    if (page >= peek_half(e + 4)) return 0;
    uintptr_t slot = page / peek_half(e), records = peek(chunks + 8 * (extent >> 8)) + offsetof(HakPageChunk, record);
    return records + ((extent & 255) * 128 + slot) * sizeof(HakPageRecord);
}

static bool is_closed(const char* p) {
    char byte;
    if (write(pipes[1], p, 1) != 1) return true;
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    return false;
}

static void give(PageSlot slot) {
    store_relaxed(&slot.record->start, (uintptr_t)slot.first);
    page_slot_give(slot);
}

static void a_record_is_found_by_arithmetic(void** state) {
    (void)state;
    static const uint64_t lengths[] = {1, 2, 5, 30, 127, 128, 600, 1000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        PageSlot slot = page_slot_take(SHARD, lengths[i], true);
        assert_non_null(slot.record);
        assert_true((uint64_t)(slot.end - slot.first) >= lengths[i] * PAGE);
        assert_int_equal((uintptr_t)slot.first % PAGE, 0);
        for (char* at = slot.first; at <= slot.end; at += PAGE / 2) {  // the closed page as well
            assert_int_equal(find((uintptr_t)at), (uintptr_t)slot.record);
            assert_ptr_equal(page_slot_of(at).record, slot.record);
        }
        assert_ptr_not_equal(page_slot_of(slot.end + PAGE).record, slot.record);
        give(slot);
    }
    assert_int_equal(find((uintptr_t)&memory), 0);
    assert_null(page_slot_of(&memory).record);
}

static void an_open_slot_is_closed_on_all_sides(void** state) {
    (void)state;
    PageSlot slot = page_slot_take(SHARD, 3, true), next = page_slot_take(SHARD, 3, true);
    assert_true(page_open(slot.record, slot.end - 2 * PAGE, slot.end));
    assert_true(page_open(next.record, next.end - PAGE, next.end));
    assert_true(is_closed(slot.end - 2 * PAGE - 1) && is_closed(slot.end) && is_closed(next.end));
    memset(slot.end - 2 * PAGE, 1, 2 * PAGE);
    assert_true(page_close(slot.record, slot.end - 2 * PAGE, slot.end));
    assert_true(is_closed(slot.end - 1) && !is_closed(next.end - 1));
    assert_true(page_open(slot.record, slot.end - 2 * PAGE, slot.end));
    for (char* at = slot.end - 2 * PAGE; at < slot.end; at++) assert_int_equal(*at, 0);
    page_close(slot.record, slot.end - 2 * PAGE, slot.end);
    page_close(next.record, next.end - PAGE, next.end);
    give(slot);
    give(next);
}

static void freed_slots_come_back_in_their_order(void** state) {
    (void)state;
    enum { SLOTS = 40000 };
    static HakPageRecord* freed[SLOTS];
    size_t count = 0, matched = 0;
    for (size_t i = 0; i < 2 * SLOTS && matched < 1000; i++) {
        PageSlot slot = page_slot_take(SHARD + 1, 1, true);
        assert_non_null(slot.record);
        if (count > matched && slot.record == freed[matched])
            matched++;
        else
            assert_int_equal(matched, 0);  // new ones come until enough are kept, and then the first that was freed
        if (count < SLOTS) freed[count++] = slot.record;
        give(slot);
    }
    assert_int_equal(matched, 1000);
}

static void a_failing_call_changes_nothing(void** state) {
    (void)state;
    PageSlot slot = page_slot_take(SHARD, 1, true);
    int64_t before = page_access_open_pages();
    os_fault_arm(1, 100);
    bool opened = page_open(slot.record, slot.first, slot.end);
    PageSlot huge = page_slot_take(SHARD + 2, 5000, true);
    os_fault_arm(0, 0);
    assert_false(opened);
    assert_null(huge.record);
    assert_int_equal(page_access_open_pages(), before);
    assert_true(is_closed(slot.first));
    assert_true(page_open(slot.record, slot.first, slot.end));
    os_fault_arm(1, 100);
    bool closed = page_close(slot.record, slot.first, slot.end);
    os_fault_arm(0, 0);
    assert_false(closed);
    assert_true(page_close(slot.record, slot.first, slot.end));
    assert_int_equal(page_access_open_pages(), before);
    give(slot);
}

static void memory_has_a_bound(void** state) {
    (void)state;
    PageSlot slot = page_slot_take(SHARD, 5000, true), small = page_slot_take(SHARD, 1, true);
    assert_non_null(slot.record);
    assert_false(page_open(slot.record, slot.first, slot.end));
    assert_true(page_open(small.record, small.first, small.end));
    page_close(small.record, small.first, small.end);
    give(small);
    give(slot);
}

// A slot that shrinks stays one open range, and its end takes that from the count once.
static void shrinking_leaves_the_bound_of_ranges_as_it_is(void** state) {
    (void)state;
    enum { RANGES = 6, STEPS = 4 };
    static PageSlot slots[RANGES + 1];
    page_access_begin(64 << 20, 2 * RANGES);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i <= RANGES; i++) {
            slots[i] = page_slot_take(SHARD + 3, STEPS + 1, true);
            assert_non_null(slots[i].record);
            slots[i].record->by_protection = 1;
        }
        for (int i = 0; i < RANGES; i++) {
            char* end = slots[i].first + (STEPS + 1) * PAGE;
            assert_true(page_open(slots[i].record, slots[i].first, end));
            for (int k = 0; k < STEPS; k++, end -= PAGE) assert_true(page_close_tail(slots[i].record, end - PAGE, end));
        }
        assert_false(page_open(slots[RANGES].record, slots[RANGES].first, slots[RANGES].end));
        for (int i = 0; i < RANGES; i++)
            assert_true(page_close(slots[i].record, slots[i].first, slots[i].first + PAGE));
        for (int i = 0; i <= RANGES; i++) give(slots[i]);
    }
    page_access_begin(64 << 20, 4000);
}

// An extent yields when all is cut and enough is in use. Then what is freed goes to no queue. In the end it is over.
static void an_extent_yields_and_ends(void** state) {
    (void)state;
    HakPageExtent extent = {0};
    for (int i = 0; i < 10; i++) extent_cut(&extent, false);
    assert_int_equal(extent_yield(&extent, 1), 0);
    extent_cut(&extent, true);
    assert_int_equal(extent_yield(&extent, 12), 0);
    assert_false(extent_has_yielded(extent_leave(&extent)));
    assert_false(extent_has_yielded(extent_leave(&extent)));
    assert_false(extent_has_yielded(extent_unqueue(&extent)));
    assert_int_equal(extent_yield(&extent, 8), 10);
    assert_int_equal(extent_yield(&extent, 8), 0);
    for (int i = 0; i < 10; i++) assert_false(extent_is_over(extent_leave(&extent)));
    assert_true(extent_is_over(extent_unqueue(&extent)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_found_by_arithmetic),
        cmocka_unit_test(an_open_slot_is_closed_on_all_sides),
        cmocka_unit_test(freed_slots_come_back_in_their_order),
        cmocka_unit_test(a_failing_call_changes_nothing),
        cmocka_unit_test(memory_has_a_bound),
        cmocka_unit_test(shrinking_leaves_the_bound_of_ranges_as_it_is),
        cmocka_unit_test(an_extent_yields_and_ends),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
