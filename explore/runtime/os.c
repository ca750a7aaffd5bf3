// Stands for lib/os/os_linux.c: memory at fixed addresses, a clock that stands still until it is told, and calls that
// fail when the run's strategy wants it.
#include "os/os.h"

#include "base/random.h"
#include "config/conf.h"
#include "os/cgroup.h"
#include "base/atomic.h"
#include "runtime/access.h"
#include "runtime/system.h"

#include <string.h>

// The alternatives of a thread that makes a system call are a moment; the memory that it gets depends on who was first.
static bool call(const char* name) {
    if (!run.active) return true;
    run.calls++;
    threads[current_thread].moment++;
    return !system_call_fails(name);
}

static uint64_t offset_of(const void* at) {
    return (uint64_t)(uintptr_t)at - ARENA;
}

uint32_t __tsan_atomic32_fetch_or(volatile uint32_t* p, uint32_t value, int order);

static void order_parts(const void* at, size_t bytes) {
    for (uint64_t part = offset_of(at) / ARENA_PART, last = (offset_of(at) + bytes - 1) / ARENA_PART; part <= last;
         part++)
        __tsan_atomic32_fetch_or(&world->mappings[part], 0, __ATOMIC_RELAXED);
}

// Whether pages are there is what mappings change and find. So their order matters, for each part of the arena. Nobody
// else runs between the call's place in that order and what it does: this comes last, and has one point at most.
static void order_pages(const void* at, size_t bytes) {
    scheduler_points_are_one(true);
    order_parts(at, bytes);
    scheduler_points_are_one(false);
}

static bool call_for_pages(const char* name, const void* at, size_t bytes) {
    if (!call(name)) return false;
    order_pages(at, bytes);
    return true;
}

// The same for what also changes bytes that are there.
static bool call_for_bytes(const char* name, const void* at, size_t bytes) {
    if (!call(name)) return false;
    access_by_system(at, bytes);
    order_pages(at, bytes);
    return true;
}

void os_start(void) {
}

bool os_is_privileged(void) {
    return false;
}

void conf_take(const char* path, bool wanted) {
    (void)path, (void)wanted;
}

// --- mapping

uint64_t __tsan_atomic64_fetch_add(volatile uint64_t* p, uint64_t value, int order);
uint64_t __tsan_atomic64_load(const volatile uint64_t* p, int order);

// Who gets which address depends on who comes first.
static void* map_anywhere(size_t bytes) {
    uint64_t at = __tsan_atomic64_fetch_add(&world->next_mapping, bytes, __ATOMIC_RELAXED);
    if (at + bytes > ARENA_WINDOW) return NULL;
    memory_open(at, bytes);
    return (void*)(uintptr_t)(ARENA + at);
}

void* os_map(size_t bytes) {
    return call("mmap") ? map_anywhere(bytes) : NULL;
}

void* os_map_resident(size_t bytes) {
    return call("mmap") ? map_anywhere(bytes) : NULL;
}

// For tables that the explored build does without: the debug ring and guard mode's records.
void* os_map_sparse(size_t bytes) {
    (void)bytes;
    return NULL;
}

bool os_map_at_unless(void* at, size_t bytes, bool* occupied) {
    if (occupied) *occupied = false;
    if (bytes == 0 || offset_of(at) + bytes > ARENA_BYTES || !call_for_pages("mmap", at, bytes)) return false;
    if (!memory_is_closed(offset_of(at), bytes)) {
        if (occupied) *occupied = true;
        return false;
    }
    memory_open(offset_of(at), bytes);
    return true;
}

bool os_map_at(void* at, size_t bytes) {
    return os_map_at_unless(at, bytes, NULL);
}

bool os_map_over(void* at, size_t bytes) {
    if (!call_for_bytes("mmap", at, bytes)) return false;
    memory_zero(offset_of(at), bytes);
    memory_open(offset_of(at), bytes);
    return true;
}

// Closed address space and an unmapped one are the same here.
bool os_map_closed_unless(void* at, size_t bytes, bool* occupied) {
    if (occupied) *occupied = false;
    return offset_of(at) + bytes <= ARENA_BYTES && call("mmap");
}

bool os_unmap(void* at, size_t bytes) {
    if (!call_for_bytes("munmap", at, bytes)) return false;
    memory_close(offset_of(at), bytes);
    return true;
}

bool os_purge(void* at, size_t bytes) {
    if (!call("madvise")) return false;
    access_by_system(at, bytes);
    memory_zero(offset_of(at), bytes);
    return true;
}

bool os_purge_locked(void* at, size_t bytes) {
    return os_purge(at, bytes);
}

bool os_protect(void* at, size_t bytes, bool accessible) {
    (void)at, (void)bytes, (void)accessible;
    return call("mprotect");
}

bool os_is_locked(void* fresh, size_t bytes) {
    (void)fresh, (void)bytes;
    return false;
}

bool os_lock_on_touch(void* at, size_t bytes) {
    (void)at, (void)bytes;
    return false;
}

bool os_open_sparsely(void* at, size_t bytes, bool* locked) {
    *locked = false;
    return os_map_at_unless(at, bytes, NULL);
}

bool os_is_resident(void* page) {
    (void)page;
    return true;
}

bool os_can_read(const void* at) {
    return at != NULL;
}

bool os_populate(void* at, size_t bytes) {
    (void)at, (void)bytes;
    return call("madvise");
}

bool os_want_huge_pages(void* at, size_t bytes, bool wanted) {
    (void)at, (void)bytes, (void)wanted;
    return call("madvise");
}

bool os_move(void* from, void* to, size_t bytes) {
    if (!call("mremap")) return false;
    access_by_system(from, bytes);
    access_by_system(to, bytes);
    scheduler_points_are_one(true);
    order_parts(from, bytes);
    order_parts(to, bytes);
    scheduler_points_are_one(false);
    memory_open(offset_of(to), bytes);
    memory_note_range(to, bytes);
    memcpy(to, from, bytes);
    memory_close(offset_of(from), bytes);
    return true;
}

uintptr_t os_mapping_area(void) {
    return 0;
}

// Only the smallest of the heap's windows gets a hole; the arena has memory for its beginning.
uintptr_t os_find_hole(size_t bytes) {
    return bytes > UINT64_C(3) << 30 ? 0 : (uintptr_t)(ARENA + ARENA_WINDOW);
}

// --- clock, random numbers, waits

uint64_t os_clock_ms(void) {
    return __tsan_atomic64_load((const volatile uint64_t*)&world->clock_ms, __ATOMIC_RELAXED);
}

uint64_t os_clock_ns(void) {
    return os_clock_ms() * 1000000;
}

void os_clock_without_counter(void) {
}

uint64_t os_random(void) {
    world_note();
    return random_mix(UINT64_C(0x5eed) + ++world->random_calls * RANDOM_STEP);
}

// A thread whose time has run out does not wait once more.
void os_yield(void) {
    Thread* me = &threads[current_thread];
    const bool hurries = run.active && me->hurries;
    me->hurries = false;
    if (!hurries) explored_spin();
}

void os_sleep_briefly(void) {
    run.calls += run.active;
    os_yield();
}

// Waits with a limit: it may run out, whatever others do.
void os_wait(int tries) {
    (void)tries;
    if (!run.active) return;
    Thread* me = &threads[current_thread];
    if (me->hurries) return;
    me->moment++;
    if (scheduler_choose(CHOOSE_TIME, 2))
        me->hurries = true;
    else
        scheduler_look_again();
}

// --- processes and threads

void os_watch_copies(void) {
    world_note();
    world->watches_copies = 1;
}

bool os_is_new_copy(void) {
    return world->is_copy != 0;
}

void os_accept_copy(void) {
    world_note();
    world->is_copy = 0;
}

bool os_has_threads(bool unless_known) {
    (void)unless_known;
    for (unsigned t = 0; t < thread_count; t++)
        if (t != current_thread && threads[t].state != GONE && threads[t].state != UNBORN) return true;
    return false;
}

uint64_t os_hold_signals(void) {
    return 0;
}

void os_release_signals(uint64_t held) {
    (void)held;
}

uint32_t os_thread_id(void) {
    return current_thread + 1;
}

uint32_t os_process_id(void) {
    return 1;
}

bool os_fault_hit(void) {
    return false;
}

void os_fault_arm(uint64_t first, uint64_t count) {
    (void)first, (void)count;
}

uint64_t os_fault_calls(void) {
    return 0;
}

// --- control groups: there are none

bool cgroup_find(Cgroup* group, const char* root) {
    (void)group, (void)root;
    return false;
}

CgroupRoom cgroup_room(const Cgroup* group) {
    (void)group;
    return (CgroupRoom){UINT64_MAX, UINT64_MAX};
}
