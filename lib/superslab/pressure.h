// Whether the process's control group is near its limit. Files are read for that: first when the heap has 64 MiB and could give
// something back, and again after a second, or when a quarter of what was left has been handed out.
// Thread-safety: under heap_lock. Errors: what cannot be read is no limit.
#ifndef HAK_SUPERSLAB_PRESSURE_H
#define HAK_SUPERSLAB_PRESSURE_H

#include "base/compiler.h"

// bytes: what is about to be touched.
bool pressure_is_near(uint64_t bytes);

#endif
