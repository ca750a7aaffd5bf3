#include "observe/ring.h"

#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 64 };

static HakRingFile* file;

static int attach(void** state) {
    (void)state;
    void* memory = aligned_alloc(4096, hak_ring_bytes(RECORDS));
    if (memory == NULL) return -1;
    memset(memory, 0, hak_ring_bytes(RECORDS));
    hak_ring_attach(memory, RECORDS);
    file = hak_ring_file();
    return file == memory ? 0 : -1;
}

static HakRingSlot* slot_at(unsigned i) {
    return hak_ring_slot_at(file, i);
}

static void header(void** state) {
    (void)state;
    assert_true(file->magic == HAK_RING_MAGIC);
    assert_int_equal(file->version, HAK_RING_VERSION);
    assert_int_equal(file->slots, HAK_RING_SLOTS);
    assert_int_equal(file->records, RECORDS);
    assert_int_equal(file->slot_bytes, sizeof(HakRingSlot) + RECORDS * sizeof(HakRingRecord));
    assert_true(hak_ring_bytes(RECORDS) >= sizeof *file + (size_t)file->slots * file->slot_bytes);
    for (unsigned i = 0; i < HAK_EVENT_COUNT; i++) {
        assert_true(strlen(hak_event_name(i)) > 0);
        if (i != HAK_EVENT_NONE) assert_true(strlen(hak_event_meaning(i)) > 0);
    }
    assert_string_equal(hak_event_name(HAK_EVENT_drain), "drain");
    assert_string_equal(hak_event_name(HAK_EVENT_COUNT), "unknown");
}

static void nothing_is_recorded_without_a_slot(void** state) {
    (void)state;
    ring_record(HAK_EVENT_refill, NULL, 1, 2);
    for (unsigned i = 0; i < file->slots; i++) assert_int_equal(load_relaxed(&slot_at(i)->written), 0);
}

static void the_newest_records_are_kept(void** state) {
    (void)state;
    hak_ring_thread_start(77);
    HakRingSlot* slot = hak_ring_slot;
    assert_non_null(slot);
    assert_int_equal(load_relaxed(&slot->thread), 77);
    for (uint32_t i = 0; i < 3 * RECORDS + 5; i++) ring_record(HAK_EVENT_malloc, (void*)(uintptr_t)(i * 16), i, i * 2);
    uint64_t written = load_relaxed(&slot->written);
    assert_int_equal(written, 3 * RECORDS + 5);
    uint64_t last_tsc = 0;
    for (uint64_t n = written - RECORDS; n < written; n++) {
        const HakRingRecord* r = &slot->records[n % RECORDS];
        assert_int_equal(r->event, HAK_EVENT_malloc);
        assert_int_equal(r->a, n);
        assert_int_equal(r->b, n * 2);
        assert_int_equal(r->ptr, n * 16);
        assert_true(r->tsc >= last_tsc);
        last_tsc = r->tsc;
    }
    hak_ring_thread_end();
    assert_int_equal(load_relaxed(&slot->thread), 0);
    assert_null(hak_ring_slot);
}

static void* one_thread(void* argument) {
    uint64_t number = (uint64_t)(uintptr_t)argument;
    hak_ring_thread_start(number);
    for (uint32_t i = 0; i < 1000; i++) ring_record(HAK_EVENT_refill, NULL, i, number);
    HakRingSlot* slot = hak_ring_slot;
    // only this thread has written here
    for (unsigned i = 0; slot && i < RECORDS; i++)
        if (slot->records[i].b != number) slot = NULL;
    hak_ring_thread_end();
    return slot;
}

static void each_thread_has_a_slot_and_slots_are_used_again(void** state) {
    (void)state;
    enum { AT_ONCE = 32, ROUNDS = 2 * HAK_RING_SLOTS / AT_ONCE };
    uintptr_t number = 1000;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, one_thread, (void*)number++), 0);
        for (int i = 0; i < AT_ONCE; i++) {
            void* slot;
            pthread_join(threads[i], &slot);
            assert_non_null(slot);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header),
        cmocka_unit_test(nothing_is_recorded_without_a_slot),
        cmocka_unit_test(the_newest_records_are_kept),
        cmocka_unit_test(each_thread_has_a_slot_and_slots_are_used_again),
    };
    return cmocka_run_group_tests(tests, attach, NULL);
}
