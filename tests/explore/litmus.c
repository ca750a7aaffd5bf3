// Small programs of two or three threads with known outcomes: does the explorer's memory model allow what C11 allows,
// and find the races that C11 forbids? Compiled as the allocator is for the explorer.
#include "litmus.h"

#include "base/atomic.h"
#include "os/os.h"
#include "runtime/memory.h"

static _Atomic uint32_t x, y, flag;
static _Atomic uint32_t result[4];
static uint32_t data;
uint8_t litmus_bytes[8];

uint32_t litmus_result(unsigned i) {
    return load_relaxed(&result[i]);
}

#define RESULT(i, value) store_relaxed(&result[i], (value) + 1u)  // 0: the thread did not come there

// --- message passing

static void mp_relaxed_write(void) {
    store_relaxed(&x, 1u);
    store_relaxed(&flag, 1u);
}

static void mp_release_write(void) {
    store_relaxed(&x, 1u);
    store_release(&flag, 1u);
}

static void mp_fence_write(void) {
    store_relaxed(&x, 1u);
    atomic_thread_fence(memory_order_release);
    store_relaxed(&flag, 1u);
}

static void mp_relaxed_read(void) {
    RESULT(0, load_relaxed(&flag));
    RESULT(1, load_relaxed(&x));
}

static void mp_acquire_read(void) {
    RESULT(0, load_acquire(&flag));
    RESULT(1, load_relaxed(&x));
}

static void mp_fence_read(void) {
    RESULT(0, load_relaxed(&flag));
    atomic_thread_fence(memory_order_acquire);
    RESULT(1, load_relaxed(&x));
}

// --- the same with plain data

static void plain_release_write(void) {
    data = 1;
    store_release(&flag, 1u);
}

static void plain_relaxed_write(void) {
    data = 1;
    store_relaxed(&flag, 1u);
}

static void plain_acquire_read(void) {
    if (load_acquire(&flag) == 1) RESULT(1, data);
}

// --- store buffering, load buffering, coherence

static void sb_0(void) {
    store_relaxed(&x, 1u);
    RESULT(0, load_relaxed(&y));
}

static void sb_1(void) {
    store_relaxed(&y, 1u);
    RESULT(1, load_relaxed(&x));
}

static void co_write(void) {
    store_relaxed(&x, 1u);
    store_relaxed(&x, 2u);
}

static void co_read(void) {
    RESULT(0, load_relaxed(&x));
    RESULT(1, load_relaxed(&x));
}

static void co_pass(void) {
    if (load_relaxed(&x) == 2) store_release(&flag, 1u);
}

static void co_read_after(void) {
    RESULT(0, load_acquire(&flag));
    RESULT(1, load_relaxed(&x));
}

static void add(void) {
    add_relaxed(&x, 1u);
}

static void add_and_read(void) {
    add_relaxed(&x, 1u);
    RESULT(0, load_relaxed(&x));
}

// --- release sequences

static void rs_update(void) {
    uint32_t one = 1;
    cas_relaxed(&flag, &one, 2u);
}

static void rs_read(void) {
    if (load_acquire(&flag) == 2) RESULT(1, data);
}

static void rs_store_again(void) {
    data = 1;
    store_release(&flag, 1u);
    store_relaxed(&flag, 2u);
}

// --- races

static void write_data(void) {
    data = 2;
}

static void read_data(void) {
    RESULT(0, data);
}

static void write_byte_0(void) {
    litmus_bytes[0] = 1;
}

static void write_byte_1(void) {
    litmus_bytes[1] = 1;
}

static void write_x_plainly(void) {
    *(uint32_t*)&x = 5;
}

static void read_x(void) {
    RESULT(0, load_relaxed(&x));
}

// --- waits

static void wait_and_update(void) {
    os_wait(0);
    exchange_acquire(&x, 1u);
    exchange_acquire(&x, 0u);
}

static void update(void) {
    RESULT(0, exchange_acquire(&x, 5u));
}

static void update_two(void) {
    exchange_acquire(&x, 1u);
    exchange_acquire(&y, 1u);
}

static void look_twice(void) {
    for (int i = 0; i < 2; i++) {
        if (load_relaxed(&y)) return;
        cpu_relax();
    }
    RESULT(0, exchange_acquire(&y, 7u));
}

// --- the explorer itself

static void overflow_stack(void) {
    enum { LARGER_THAN_IT = 300000, STEP_BYTES = 4096 };
    volatile char large[LARGER_THAN_IT];
    for (int i = LARGER_THAN_IT - 1; i >= 0; i -= STEP_BYTES) large[i] = 1;
    RESULT(0, (uint32_t)large[LARGER_THAN_IT - 1]);
}

// More changes than there are pages.
static void map_often(void) {
    enum { BYTES = 16 << 20, ROUNDS = 10 };
    char* at = (char*)(uintptr_t)(ARENA + ARENA_WINDOW);
    for (int i = 0; i < ROUNDS; i++)
        if (!os_map_at(at, BYTES) || !os_unmap(at, BYTES)) return;
    RESULT(0, os_map_at(at + BYTES, BYTES));
}

// --- mappings of more than one part of the arena

enum { TWO_PARTS = 4 << 20 };

static char* mapping(void) {
    return (char*)(uintptr_t)(ARENA + ARENA_WINDOW);
}

static void map_and_unmap(void) {
    if (os_map_at(mapping(), TWO_PARTS)) RESULT(0, os_unmap(mapping(), TWO_PARTS));
}

static void map_second_part(void) {
    bool occupied = false;
    os_map_at_unless(mapping() + TWO_PARTS / 2, TWO_PARTS / 2, &occupied);
    RESULT(1, occupied);
}

static void move(void) {
    if (os_map_at(mapping(), TWO_PARTS)) RESULT(0, os_move(mapping(), mapping() + TWO_PARTS, TWO_PARTS));
}

static void map_second_target(void) {
    bool occupied = false;
    os_map_at_unless(mapping() + TWO_PARTS + TWO_PARTS / 2, TWO_PARTS / 2, &occupied);
    RESULT(1, occupied);
}

static void purge_and_update(void) {
    os_purge(mapping(), TWO_PARTS);
    RESULT(0, exchange_acquire(&x, 1u));
}

static void update_after(void) {
    RESULT(1, exchange_acquire(&x, 2u));
}

const Litmus litmus[] = {
    {"mp_relaxed", {mp_relaxed_write, mp_relaxed_read}, {2, 1}, true, NULL},
    {"mp_release_relaxed", {mp_release_write, mp_relaxed_read}, {2, 1}, true, NULL},
    {"mp_release_acquire", {mp_release_write, mp_acquire_read}, {2, 1}, false, NULL},
    {"mp_fences", {mp_fence_write, mp_fence_read}, {2, 1}, false, NULL},
    {"mp_fence_acquire", {mp_fence_write, mp_acquire_read}, {2, 1}, false, NULL},
    {"plain_release_acquire", {plain_release_write, plain_acquire_read}, {0, 2}, true, NULL},
    {"plain_relaxed_acquire", {plain_relaxed_write, plain_acquire_read}, {0, 2}, false, "race"},
    {"store_buffering", {sb_0, sb_1}, {1, 1}, true, NULL},
    {"coherence", {co_write, co_read}, {3, 2}, false, NULL},
    {"coherence_forwards", {co_write, co_read}, {1, 3}, true, NULL},
    {"coherence_through_others", {co_write, co_pass, co_read_after}, {2, 2}, false, NULL},
    {"updates_lose_nothing", {add, add_and_read}, {1, 0}, false, NULL},
    {"release_sequence", {plain_release_write, rs_update, rs_read}, {0, 2}, true, NULL},
    {"release_sequence_ends", {rs_store_again, rs_read}, {0, 2}, false, "race"},
    {"race_of_writes", {write_data, write_data}, {0, 0}, false, "race"},
    {"race_with_read", {write_data, read_data}, {0, 0}, false, "race"},
    {"reads_do_not_race", {read_data, read_data}, {1, 0}, true, NULL},
    {"bytes_do_not_race", {write_byte_0, write_byte_1}, {0, 0}, true, NULL},
    {"race_with_atomic", {write_x_plainly, read_x}, {0, 0}, false, "race"},
    {"a_wait_runs_out", {wait_and_update, update}, {2, 0}, true, NULL},
    {"a_short_wait_gives_up", {update_two, look_twice}, {1, 0}, true, NULL},
    {"stack_overflows", {overflow_stack, write_byte_0}, {0, 0}, false, "crash"},
    {"each_run_maps_anew", {map_often, write_byte_0}, {1, 0}, false, NULL},
    {"unmapping_is_one_step", {map_and_unmap, map_second_part}, {2, 2}, true, NULL},
    {"moving_is_one_step", {move, map_second_target}, {2, 2}, true, NULL},
    {"a_thread_goes_on_after_a_call", {purge_and_update, update_after}, {1, 2}, true, NULL},
    {NULL, {NULL}, {0}, false, NULL},
};
