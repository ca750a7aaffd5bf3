#include "census/live.h"

#include "front/wake.h"

HakRequest hak_request;

// Writable, so that no page of constants has to be relocated for it alone.
__attribute__((used)) HakLive hak_live = {
    .magic = HAK_LIVE_MAGIC,
    .layout = HAK_LIVE_LAYOUT,
    .checked = HAK_CHECKED,
    .version = HAKMEM_VERSION,
    .heap = &hak_heap,
    .newest = &tcb_newest,
    .shared = &hak_counters_shared,
    .request = &hak_request,
    .wake = &hak_wake,
    .options = &hak_options,
};

HAK_LIVE_PUT_NOTE;
