// The bytes that a story is about: each access to them, plain or atomic, is recorded as an EVENT_ACCESS.
// Thread-safety: the process's only running thread.
// Errors: none.
#ifndef EXPLORE_RUNTIME_WATCH_H
#define EXPLORE_RUNTIME_WATCH_H

#include <stdbool.h>
#include <stdint.h>

// Where an access was made, if not in the allocator's code.
#define SITE_PROGRAM ((const void*)0)
#define SITE_SYSTEM ((const void*)1)

extern uint64_t watch_first, watch_end;  // offsets; equal: nothing is watched

// Up to eight bytes. Their line is compared word by word from now on, so that no access to it is passed over. What
// another scenario has learned of the lines must be forgotten before. bytes 0: nothing is watched any more.
void watch(const volatile void* p, unsigned bytes);

static inline bool watch_meets(uint64_t offset, unsigned bytes) {
    return offset < watch_end && watch_first < offset + bytes;
}

#endif
