// What guard mode records can be read from outside by arithmetic alone; hak_check finds damage in slabs without owner.
#include "superslab/guard_record.h"
#include "slab/ownership.h"
#include "stack/stack_table.h"
#include "thread/tls.h"
#include "unit.h"

#include <fcntl.h>
#include <hakmem/hakmem.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int memory;

static int start(void** state) {
    (void)state;
    memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    return hak_option_set("HAKMEM_GUARD", "1") != 0 || memory < 0;
}

// As guard_record.h says, with only what another process can see.
static uint64_t peek(uintptr_t address) {
    uint64_t value = 0;
    assert_int_equal(pread(memory, &value, sizeof value, (off_t)address), sizeof value);
    return value;
}

static bool find(uintptr_t address, HakGuardRecord* record, uintptr_t* block) {
    uintptr_t root = (uintptr_t)&hak_guard_root, base = peek(root + 16);
    uintptr_t unit = (address - base) >> 21, slab = (address - base) >> 16 & 31, in_slab = (address - base) & 0xffff;
    if (base == 0 || unit >= 1u << 22) return false;
    uintptr_t chunk = peek(root + 24 + 8 * (unit >> 11)), table = chunk ? peek(chunk + 8 * (unit & 2047)) : 0;
    uintptr_t size = table ? peek(table + 8 * slab) & 0xffffffff : 0;
    if (size == 0 || in_slab / size >= 2048) return false;
    *block = address - in_slab % size;
    uintptr_t at = table + 4096 + (slab * 2048 + in_slab / size) * 64;
    assert_int_equal(pread(memory, record, sizeof *record, (off_t)at), sizeof *record);
    return true;
}

static HakGuardRecord record_at(const void* p, const void* expected_block) {
    HakGuardRecord record;
    uintptr_t block;
    assert_true(find((uintptr_t)p, &record, &block));
    assert_int_equal(block, (uintptr_t)expected_block);
    return record;
}

static void expect(const void* block, size_t offset, size_t size) {
    HakGuardRecord record = record_at((const char*)block + offset, block);
    uint64_t word = load_relaxed(&record.word);
    assert_int_equal(guard_state(word), HAK_GUARD_LIVE);
    assert_int_equal(guard_family(word), HAK_GUARD_MALLOC);
    assert_int_equal(guard_size(word), size);
    assert_int_not_equal(record.alloc_thread, 0);
    assert_int_not_equal(record.alloc_clock, 0);
}

static void records_are_found_by_arithmetic(void** state) {
    (void)state;
    char *small = hak_malloc(100), *run = hak_malloc(50000), *huge = hak_malloc(5000000);
    expect(small, 0, 100);
    expect(small, 99, 100);
    expect(run, 0, 50000);
    expect(run, 4095, 50000);
    expect(huge, 65535, 5000000);
    hak_free(small);
    HakGuardRecord record = record_at(small, small);
    assert_int_equal(guard_state(load_relaxed(&record.word)), HAK_GUARD_QUARANTINED);
    assert_true(record.free_clock > record.alloc_clock);
    assert_int_not_equal(record.free_site, record.alloc_site);
    hak_trim(0);
    record = record_at(small, small);
    assert_int_equal(guard_state(load_relaxed(&record.word)), HAK_GUARD_FREE);
    hak_free(run);
    hak_free(huge);
    uintptr_t block;
    assert_false(find((uintptr_t)&record, &record, &block));
}

static __attribute__((noinline)) void* called_from_here(void) {
    void* block = hak_malloc(500);
    __asm__ volatile("" : : "r"(block) : "memory");  // keeps the call from becoming a jump
    return block;
}

static __attribute__((noinline)) void freed_from_here(void* block) {
    hak_free(block);
    __asm__ volatile("" : : : "memory");
}

static void expect_stack(StackNumber number, uint64_t site, uintptr_t function, uintptr_t caller) {
    uintptr_t stack[3];
    assert_int_equal(stack_read(number, stack, 3), 3);
    assert_int_equal(stack[0], site);
    assert_in_range(stack[0], function, function + 200);
    assert_in_range(stack[1], caller, caller + 500);
}

static void both_stacks_are_noted_from_the_call_on(void** state) {
    (void)state;
    void* block = called_from_here();
    freed_from_here(block);
    HakGuardRecord record = record_at(block, block);
    uintptr_t here = (uintptr_t)both_stacks_are_noted_from_the_call_on;
    expect_stack(record.alloc_stack, record.alloc_site, (uintptr_t)called_from_here, here);
    expect_stack(record.free_stack, record.free_site, (uintptr_t)freed_from_here, here);
}

// A slab made anew has no records of its former blocks.
static void a_new_slab_starts_without_records(void** state) {
    (void)state;
    enum { BLOCKS = 64 };
    void* blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) blocks[i] = hak_malloc(8000);
    for (int i = 0; i < BLOCKS; i++) hak_free(blocks[i]);
    hak_trim(0);
    void* first = hak_malloc(3000);
    size_t known = 0;
    for (uintptr_t at = (uintptr_t)first & ~(uintptr_t)0xffff, end = at + 65536, block; at < end; at = block + 3072) {
        HakGuardRecord record;
        assert_true(find(at, &record, &block));
        known += guard_state(load_relaxed(&record.word)) != HAK_GUARD_NONE;
    }
    assert_int_equal(known, 1);
    hak_free(first);
}

// Whether the mapping at an address is left out of core dumps: "dd" among its flags.
static bool is_left_out(uintptr_t address) {
    char line[512];
    bool inside = false, left_out = false;
    FILE* file = fopen("/proc/self/smaps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) inside = address >= start && address < end;
        if (inside && strncmp(line, "VmFlags:", 8) == 0) left_out = strstr(line, " dd") != NULL;
    }
    fclose(file);
    return left_out;
}

static void records_are_not_dumped(void** state) {
    (void)state;
    void* block = hak_malloc(100);
    uintptr_t root = (uintptr_t)&hak_guard_root, unit = ((uintptr_t)block - peek(root + 16)) >> 21;
    uintptr_t chunk = peek(root + 24 + 8 * (unit >> 11)), table = peek(chunk + 8 * (unit & 2047));
    assert_true(is_left_out(chunk));
    assert_true(is_left_out(table));
    assert_false(is_left_out((uintptr_t)block));
    hak_free(block);
    assert_true(is_left_out((uintptr_t)hak_tls.tcb->quarantine));
}

// --- hak_check

enum { KEPT = 100 };
static void* kept[KEPT];

static void* leave_slab(void* unused) {
    (void)unused;
    for (int i = 0; i < KEPT; i++) kept[i] = hak_malloc(1000);
    return NULL;
}

static TinySlabMeta* listed_slab(void) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, leave_slab, NULL), 0);
    pthread_join(thread, NULL);
    for (SlabNumber s = 1; s < load_relaxed(&hak_heap.slabs); s++)
        if (hak_heap.meta[s].in_registry && hak_heap.meta[s].size_class) return &hak_heap.meta[s];
    fail_msg("no slab in a registry");
    return NULL;
}

static void damage_in_a_registry_is_found(void** state) {
    (void)state;
    TinySlabMeta* meta = listed_slab();
    assert_int_equal(hak_check(), 0);
    meta->in_registry = 0;
    assert_int_not_equal(hak_check(), 0);
    meta->in_registry = 1;
    meta->prev ^= 1;
    assert_int_not_equal(hak_check(), 0);
    meta->prev ^= 1;
    meta->size_class ^= 1;
    assert_int_not_equal(hak_check(), 0);
    meta->size_class ^= 1;
    meta->carved--;
    assert_int_not_equal(hak_check(), 0);
    meta->carved++;
    _Atomic uint64_t* word = remote_word((SlabNumber)(meta - hak_heap.meta));
    store_relaxed(word, REMOTE_EMPTY);
    assert_int_not_equal(hak_check(), 0);
    store_relaxed(word, REMOTE_UNOWNED);
    assert_int_equal(hak_check(), 0);
    for (int i = 0; i < KEPT; i++) hak_free(kept[i]);
    assert_int_equal(hak_check(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_by_arithmetic),   cmocka_unit_test(both_stacks_are_noted_from_the_call_on),
        cmocka_unit_test(a_new_slab_starts_without_records), cmocka_unit_test(records_are_not_dumped),
        cmocka_unit_test(damage_in_a_registry_is_found),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
