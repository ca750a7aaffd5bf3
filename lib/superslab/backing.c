#include "superslab/backing.h"

#include "base/atomic.h"
#include "os/os.h"

static bool locked;             // under heap_lock: what is mapped is locked, as far as the last look tells
static _Atomic bool populates;  // and was resident at once

static bool map_closed(void* at, size_t bytes, bool* occupied) {
    if (!os_map_closed_unless(at, bytes, occupied)) return false;
    locked = os_is_locked(at, bytes);
    if (!locked) store_relaxed(&populates, false);
    // Refused by kernels before 4.4: then opening makes all of it resident.
    if (locked) os_lock_on_touch(at, bytes);
    if (os_protect(at, bytes, true)) return true;
    os_unmap(at, bytes);  // counted if it fails: then the next try finds it occupied
    return false;
}

bool backing_map(void* at, size_t bytes, bool* occupied) {
    if (locked) return map_closed(at, bytes, occupied);
    if (!os_map_at_unless(at, bytes, occupied)) return false;
    locked = os_is_locked((char*)at + bytes - OS_PAGE, OS_PAGE);
    if (!locked) return true;
    store_relaxed(&populates, os_is_resident(at));
    // What fails of this leaves resident what was mapped this one time.
    if (os_lock_on_touch(at, bytes)) os_purge_locked(at, bytes);
    return true;
}

void backing_fill(void* at, size_t bytes) {
    if (load_relaxed(&populates)) os_populate(at, bytes);  // what is missing comes when it is touched
}
