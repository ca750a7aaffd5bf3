// The recorder's events. Each thread writes into its own piece of a mapped file, so that nothing is lost however the
// process ends. Nothing here allocates or is a cancellation point.
// Thread-safety: any thread may call any function. Errors: one line on stderr, and recording ends; errno is kept.
#ifndef HAKSTRESS_RECORD_EVENTS_H
#define HAKSTRESS_RECORD_EVENTS_H

#include "record/raw.h"

#include <stdbool.h>
#include <stddef.h>

// True: what this thread does until events_leave() is to be recorded. False: it is inside a call that is already being
// recorded, as when an allocator calls its own public functions.
bool events_enter(void);
void events_leave(void);

void events_add(enum record_kind kind, const void* address, size_t size, size_t alignment);

#endif
