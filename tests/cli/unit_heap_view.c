// The view of a process's heap, tested on this process's own, and the story that its rings tell.
#include "report/heap_view.h"
#include "report/history.h"
#include "report/rings.h"
#include "report/story.h"
#include "superslab/owner_word.h"

#include <hakmem/hakmem.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct heap_view view;
static struct procmaps maps;

static int open_view(void** state) {
    (void)state;
    if (!procmaps_read(&maps, getpid())) return -1;
    heap_view_open(&view, hak_ring_file(), getpid(), &maps);
    return view.problem != NULL ? -1 : 0;
}

static int close_view(void** state) {
    (void)state;
    heap_view_close(&view);
    procmaps_free(&maps);
    return 0;
}

static struct heap_place find(const void* address) {
    return heap_view_find(&view, (uint64_t)(uintptr_t)address);
}

static void again(void) {
    close_view(NULL);
    assert_int_equal(open_view(NULL), 0);
}

static void* free_it(void* block) {
    hak_free(block);
    return NULL;
}

static void a_block_is_found_from_its_inside(void** state) {
    (void)state;
    char* block = hak_malloc(100);
    again();
    struct heap_place place = find(block + 7);
    assert_int_equal(place.kind, HEAP_BLOCK);
    assert_int_equal(place.block, (uint64_t)(uintptr_t)block);
    assert_int_equal(place.offset, 7);
    assert_int_equal(place.block_size, 112);
    assert_int_equal(place.size_class, 7);
    assert_true(place.owned && place.owner_is_known);
    assert_int_equal(place.owner, rings_thread_number(hak_ring_file(), (uint32_t)gettid()));
    assert_int_equal(place.state, BLOCK_LIVE_OR_CACHED);
    assert_true(place.in_window && place.accessible);
    assert_true(place.used > 0 && place.used <= place.capacity);
    struct heap_place slab = heap_view_slab(&view, place.slab);
    assert_int_equal(slab.kind, HEAP_SLAB);
    assert_int_equal(slab.slab, place.slab);
    hak_free(block);
}

static void blocks_are_on_lists_or_were_never_used(void** state) {
    (void)state;
    enum { SIZE = 7000, COUNT = 4 };  // few to a slab
    char* blocks[COUNT];
    for (int i = 0; i < COUNT; i++) blocks[i] = hak_malloc(SIZE);
    again();
    struct heap_place place = find(blocks[0]);
    char* last = (char*)(uintptr_t)(heap_view_slab_address(&view, place.slab) +
                                    place.block_size * ((uint64_t)place.capacity - 1));
    if (place.carved < place.capacity) assert_int_equal(find(last).state, BLOCK_NEVER_USED);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, free_it, blocks[0]), 0);
    pthread_join(other, NULL);
    again();
    assert_int_equal(find(blocks[0]).state, BLOCK_ON_REMOTE_STACK);
    assert_int_equal(find(blocks[0]).remote, 1);
    for (int i = 1; i < COUNT; i++) hak_free(blocks[i]);
}

static void runs_and_huge_blocks(void** state) {
    (void)state;
    char *run = hak_malloc(100000), *huge = hak_malloc(5 << 20);
    again();
    struct heap_place place = find(run + 50000);
    assert_int_equal(place.kind, HEAP_RUN);
    assert_int_equal(place.block, (uint64_t)(uintptr_t)run);
    assert_int_equal(place.offset, 50000);
    assert_true(place.block_size >= 100000 && !place.cached);
    place = find(huge + (4 << 20));
    assert_int_equal(place.kind, HEAP_HUGE);
    assert_int_equal(place.block, (uint64_t)(uintptr_t)huge);
    assert_int_equal(place.offset, 4 << 20);
    assert_true(place.block_size >= 5 << 20);
    hak_free(run);
    hak_free(huge);
}

static void what_is_no_block(void** state) {
    (void)state;
    char* block = hak_malloc(100);
    again();
    int local;
    assert_int_equal(find(&local).kind, HEAP_FOREIGN);
    assert_int_equal(find(NULL).kind, HEAP_FOREIGN);
    assert_int_equal(find((const void*)UINTPTR_MAX).kind, HEAP_FOREIGN);
    struct heap_place table = find((const char*)view.heap.meta + 5 * sizeof(TinySlabMeta) + 8);
    assert_int_equal(table.kind, HEAP_TABLE);
    assert_int_equal(table.slab, 5);
    assert_int_equal(table.offset, 8);
    assert_true(view.control_block_count > 0);
    struct heap_place own = heap_view_find(&view, view.control_blocks[0].address + 16);
    assert_int_equal(own.kind, HEAP_CONTROL_BLOCK);
    assert_int_equal(own.owner, view.control_blocks[0].number);
    uint32_t number;
    assert_true(heap_view_thread_of_bits(&view, (uint32_t)(view.control_blocks[0].address >> 12), &number));
    assert_int_equal(number, view.control_blocks[0].number);
    assert_false(heap_view_thread_of_bits(&view, 0, &number));
    hak_free(block);
}

static void every_place_can_be_told(void** state) {
    (void)state;
    uint64_t start = view.heap.base, end = start + ((uint64_t)view.heap.mapped << UNIT_SHIFT);
    for (uint64_t address = start - 4096; address < end + UNIT_SIZE; address += SLAB_SIZE / 2 + 8) {
        struct heap_place place = heap_view_find(&view, address);
        json_t* json = heap_place_json(&place);
        assert_non_null(json_string_value(json_object_get(json, "text")));
        json_decref(json);
    }
}

// The tables as they are in this process, so that a copy can be damaged.
static void damaged_tables_are_survived(void** state) {
    (void)state;
    enum { SLABS = 2 * SLABS_PER_UNIT, CLASS = 2, SIZE = 32 };
    static _Alignas(1 << 21) unsigned char memory[2 << UNIT_SHIFT];
    static _Atomic uint64_t owner[SLABS];
    static TinySlabMeta meta[SLABS];
    static RemoteHead remote[SLABS];
    static Unit unit[2] = {[1] = {.kind = UNIT_SLABS}};
    HakRingFile ring = {.magic = HAK_RING_MAGIC, .version = HAK_RING_VERSION};
    HakHeap heap = {.base = (uintptr_t)memory,
                    .slabs = SLABS,
                    .owner = owner,
                    .meta = meta,
                    .remote = remote,
                    .unit = unit,
                    .tabled = 2,
                    .mapped = 2,
                    .capacity = 2};
    uint64_t key = 0;
    uint32_t s = SLABS_PER_UNIT + 3;
    unsigned char* slab = memory + ((size_t)s << SLAB_SHIFT);
    ring.heap = (uint64_t)(uintptr_t)&heap;
    ring.link_key = (uint64_t)(uintptr_t)&key;
    store_relaxed(&owner[s], tag_of_class(CLASS) | 0x123000);  // an owner that is nowhere
    meta[s] = (TinySlabMeta){.block_size = SIZE, .capacity = SLAB_SIZE / SIZE, .carved = 10, .size_class = CLASS};
    struct heap_view damaged;
    uint64_t block = (uint64_t)(uintptr_t)slab + 3 * SIZE;
    uint64_t* link = (uint64_t*)(void*)(slab + 5 * SIZE);
    meta[s].freelist = link;

    *link = block;  // whole
    heap_view_open(&damaged, &ring, getpid(), NULL);
    assert_null(damaged.problem);
    struct heap_place place = heap_view_find(&damaged, block);
    assert_int_equal(place.state, BLOCK_ON_FREE_LIST);
    assert_true(place.owned && !place.owner_is_known);
    heap_view_close(&damaged);

    static const char* const wrong[] = {"does not lead to a block", "circular", "does not lead to a block"};
    uint64_t links[] = {0x6261, (uint64_t)(uintptr_t)link, block + 1};
    for (size_t i = 0; i < 3; i++) {
        *link = links[i];
        heap_view_open(&damaged, &ring, getpid(), NULL);
        place = heap_view_find(&damaged, block);
        assert_int_equal(place.state, BLOCK_UNKNOWN);
        assert_non_null(strstr(place.list_damage, wrong[i]));
        heap_view_close(&damaged);
    }
    meta[s].block_size = 0;
    heap_view_open(&damaged, &ring, getpid(), NULL);
    assert_int_equal(heap_view_find(&damaged, block).kind, HEAP_UNKNOWN);
    heap_view_close(&damaged);
    heap.meta = (TinySlabMeta*)16;
    heap.owner = (_Atomic uint64_t*)16;
    heap_view_open(&damaged, &ring, getpid(), NULL);
    assert_int_equal(heap_view_find(&damaged, block).kind, HEAP_UNKNOWN);
    heap_view_close(&damaged);
}

static void a_view_that_cannot_be_had_says_so(void** state) {
    (void)state;
    struct heap_view none;
    HakRingFile ring = {0};
    heap_view_open(&none, hak_ring_file(), 0, &maps);
    assert_non_null(strstr(none.problem, "gone"));
    assert_int_equal(heap_view_find(&none, view.heap.base + UNIT_SIZE).kind, HEAP_UNKNOWN);
    heap_view_close(&none);
    heap_view_open(&none, &ring, getpid(), &maps);
    assert_non_null(none.problem);
    heap_view_close(&none);
    ring = (HakRingFile){.magic = HAK_RING_MAGIC, .version = HAK_RING_VERSION, .heap = 16};
    heap_view_open(&none, &ring, getpid(), &maps);
    assert_non_null(none.problem);
    heap_view_close(&none);
}

// Rings with the events of a story: thread 3 drains slab 52 of thread 1, a block of it is handed out and its link is
// followed.

enum { RECORDS = 64, SLAB = 52 };
#define BLOCK 0x73b000540a80u
static HakRingFile* ring;

static void put(uint32_t slot, uint64_t tick, HakEvent event, uint64_t ptr, uint32_t a, uint64_t b) {
    HakRingSlot* at = hak_ring_slot_at(ring, slot);
    at->records[load_relaxed(&at->written) % RECORDS] =
        (HakRingRecord){.tsc = tick, .ptr = ptr, .a = a, .b = b, .event = (uint32_t)event};
    bump_single_writer(&at->written, 1);
}

static void begin(uint32_t slot, uint64_t tick, uint32_t thread, uint32_t os_tid) {
    HakRingSlot* at = hak_ring_slot_at(ring, slot);
    store_relaxed(&at->thread, (uint64_t)thread);
    store_relaxed(&at->os_tid, os_tid);
    put(slot, tick, HAK_EVENT_thread_start, 0, 0, thread);
}

static void end(uint32_t slot, uint64_t tick) {
    HakRingSlot* at = hak_ring_slot_at(ring, slot);
    put(slot, tick, HAK_EVENT_thread_exit, 0, 0, load_relaxed(&at->thread));
    store_relaxed(&at->thread, UINT64_C(0));
}

static void write_rings(void) {
    ring = test_calloc(1, hak_ring_bytes(RECORDS));
    *ring = (HakRingFile){.magic = HAK_RING_MAGIC,
                          .version = HAK_RING_VERSION,
                          .slots = HAK_RING_SLOTS,
                          .records = RECORDS,
                          .slot_bytes = sizeof(HakRingSlot) + RECORDS * sizeof(HakRingRecord)};
    begin(0, 100, 1, 1001);
    begin(1, 110, 7, 1007);
    begin(2, 120, 3, 1003);
    put(0, 200, HAK_EVENT_malloc, BLOCK, SLAB, 30);
    put(1, 300, HAK_EVENT_free, BLOCK, SLAB, 3);
    end(1, 310);
    begin(1, 320, 7, 2007);  // the slot's next thread has the same number
    put(2, 400, HAK_EVENT_foreign_drain, BLOCK, SLAB, 5 | UINT64_C(2) << 32);
    *(&hak_ring_foreign_drains(ring)[SLAB]) = (HakForeignDrain){
        .tsc = 400, .slab = SLAB, .change = 2, .thread = 3, .os_tid = 1003, .owner = 1, .blocks = 5, .size_class = 2};
    put(0, 500, HAK_EVENT_malloc, BLOCK, SLAB, 24);
    put(1, 600, HAK_EVENT_bad_link, BLOCK, SLAB, 0x6261);
}

static struct ring_reader reader;

static struct story tell(const char* workload) {
    static CrashRecord record;
    record = (CrashRecord){.signal = SIGSEGV, .code = SEGV_MAPERR, .fault_address = 0x6261};
    rings_open(&reader, ring, &view, 700, 0);
    reader.seconds_per_tick = 1e-6;
    const struct story_input input = {
        .rings = &reader, .heap = &view, .record = &record, .workload = workload, .thread = 7, .os_tid = 2007};
    struct story story;
    story_find(&story, &input);
    return story;
}

static const char* step_at(const struct story* story, size_t i) {
    return json_string_value(json_object_get(json_array_get(json_object_get(story->json, "steps"), i), "text"));
}

static void threads_of_events_are_told_apart(void** state) {
    (void)state;
    write_rings();
    rings_open(&reader, ring, &view, 700, 0);
    struct ring_event found[8];
    assert_int_equal(history_of_block(&reader, BLOCK, 8, found), 5);
    const struct who wanted[] = {{1, 1001, false}, {7, 0, true}, {3, 1003, false}, {1, 1001, false}, {7, 2007, false}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(found[i].thread, wanted[i].thread);
        assert_int_equal(found[i].os_tid, wanted[i].os_tid);
        assert_int_equal(found[i].ended, wanted[i].ended);
    }
    assert_int_equal(rings_os_tid_of(&reader, 7, 600), 2007);
    assert_int_equal(rings_os_tid_of(&reader, 7, 200), 0);  // another thread's number then
    assert_int_equal(rings_complete_since(&reader), 0);
    for (int i = 0; i < RECORDS; i++) put(2, 1000 + (uint64_t)i, HAK_EVENT_malloc, 16, 1, 8);
    assert_int_equal(rings_complete_since(&reader), 1000);
    test_free(ring);
}

static void the_story_names_everybody(void** state) {
    (void)state;
    write_rings();
    struct story story = tell("larson");
    assert_int_equal(story.tie, TIE_LINK);
    assert_int_equal(story.slab, SLAB);
    assert_string_equal(story.site, "alloc_superslab");
    assert_int_equal(story.drainer.thread, 3);
    assert_int_equal(story.drainer.os_tid, 1003);
    assert_int_equal(story.owner.thread, 1);
    assert_int_equal(story.owner.os_tid, 1001);
    assert_int_equal(story.reader.thread, 7);
    assert_true(story.has_link && story.block_was_live && !story.drain_is_later);
    assert_int_equal(story.link, 0x6261);
    static const char* const order[] = {
        "malloc: thread 1", "free: thread 7", "thread 3 (os thread 1003) drained slab 52",
        "malloc: thread 1", "'a' and 'b'",    "took block 0x73b000540a80 as a free one",
        "followed it"};
    size_t at = 0;
    for (size_t i = 0; step_at(&story, i) != NULL && at < sizeof order / sizeof order[0]; i++)
        at += strstr(step_at(&story, i), order[at]) != NULL;
    assert_int_equal(at, sizeof order / sizeof order[0]);
    json_decref(story.json);
    test_free(ring);
}

static void a_story_without_a_drain_is_the_program_s(void** state) {
    (void)state;
    write_rings();
    HakRingSlot* slot = hak_ring_slot_at(ring, 2);
    store_relaxed(&slot->written, UINT64_C(0));
    hak_ring_foreign_drains(ring)[SLAB].tsc = 0;
    struct story story = tell(NULL);
    assert_int_equal(story.tie, TIE_NONE);
    assert_true(story.has_link);
    assert_null(json_object_get(story.json, "drained_by"));
    json_decref(story.json);
    test_free(ring);
}

static void a_drain_that_is_too_late_is_said_to_be(void** state) {
    (void)state;
    write_rings();
    store_relaxed(&hak_ring_slot_at(ring, 2)->written, UINT64_C(1));
    hak_ring_foreign_drains(ring)[SLAB].tsc = 550;
    struct story story = tell("larson");
    assert_int_equal(story.tie, TIE_LINK);
    assert_true(story.drain_is_later);
    json_decref(story.json);
    test_free(ring);
}

static int start(void** state) {
    (void)state;
    hak_free(hak_malloc(1));
    return hak_ring_file() != NULL ? 0 : -1;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_view, close_view)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_block_is_found_from_its_inside),
        CASE(blocks_are_on_lists_or_were_never_used),
        CASE(runs_and_huge_blocks),
        CASE(what_is_no_block),
        CASE(every_place_can_be_told),
        CASE(damaged_tables_are_survived),
        CASE(a_view_that_cannot_be_had_says_so),
        CASE(threads_of_events_are_told_apart),
        CASE(the_story_names_everybody),
        CASE(a_story_without_a_drain_is_the_program_s),
        CASE(a_drain_that_is_too_late_is_said_to_be),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
