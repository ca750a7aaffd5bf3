#include "superslab/backing.h"

#include "base/atomic.h"
#include "os/os.h"

static bool locked;             // under heap_lock: new mappings are locked, as the last one showed
static _Atomic bool populates;  // and they became resident at once

static bool map_closed(void* at, size_t bytes, bool* occupied) {
    if (!os_map_closed_unless(at, bytes, occupied)) return false;
    bool opened = os_open_sparsely(at, bytes, &locked);
    if (!locked) store_relaxed(&populates, false);
    return opened;
}

bool backing_map(void* at, size_t bytes, bool* occupied) {
    if (locked) return map_closed(at, bytes, occupied);
    if (!os_map_at_unless(at, bytes, occupied)) return false;
    locked = os_is_locked((char*)at + bytes - os_page_bytes(), os_page_bytes());
    if (!locked) return true;
    store_relaxed(&populates, os_is_resident(at));
    // If this fails, the memory of this one mapping stays resident.
    if (os_lock_on_touch(at, bytes)) os_purge_locked(at, bytes);
    return true;
}

void backing_fill(void* at, size_t bytes) {
    if (load_relaxed(&populates)) os_populate(at, bytes);  // a page that stays missing comes when it is touched
}
