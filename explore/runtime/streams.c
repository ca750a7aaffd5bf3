// The C library's lock of its list of streams. It is recursive. A fork in a process with threads holds it, and resets
// it in the child. A copy without handlers keeps it as it is.
#include "runtime/streams.h"

#include "base/wait.h"
#include "runtime/system.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

int __tsan_atomic64_compare_exchange_strong(volatile uint64_t* p, uint64_t* expected, uint64_t value, int order,
                                            int failure);
void __tsan_atomic64_store(volatile uint64_t* p, uint64_t value, int order);

static uint64_t self(void) {
    return current_thread + 1;
}

static bool take(uint64_t* holder) {
    *holder = 0;
    return __tsan_atomic64_compare_exchange_strong(&world->streams, holder, self(), __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void explored_list_lock(void) {
    uint64_t holder;
    while (world->streams != self() && !take(&holder)) wait_while((_Atomic uint64_t*)&world->streams, holder);
    world_note();
    world->streams_depth++;
}

void explored_list_unlock(void) {
    if (world->streams != self()) run_fault("streams", "a thread unlocks the list of streams, which it has not locked");
    world_note();
    if (--world->streams_depth) return;
    __tsan_atomic64_store(&world->streams, 0, __ATOMIC_RELEASE);
    wait_wake_one((_Atomic uint64_t*)&world->streams);
}

void streams_reset(void) {
    world_note();
    world->streams = world->streams_depth = 0;
}

bool streams_are_locked(void) {
    return world->streams != 0;
}
