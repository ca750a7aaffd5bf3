// Whether the process's control group is near its limit. That takes reading files: first when the heap has 64 MiB and
// has memory to give back, then once a second, or sooner when a quarter of the room seen last has been handed out.
// Thread-safety: under heap_lock.
// Errors: files that cannot be read mean "no limit".
#ifndef HAK_SUPERSLAB_PRESSURE_H
#define HAK_SUPERSLAB_PRESSURE_H

#include "base/compiler.h"

// bytes: how much is about to be touched.
bool pressure_is_near(uint64_t bytes);
#if HAK_CHECKED
// Bytes of memory that the group may have; UINT64_MAX: no limit.
uint64_t pressure_limit(void);
#endif

#endif
