#include "front/zero.h"

#include "os/os.h"
#include "slab/run_map.h"
#include "superslab/size_class.h"
#include "thread/link.h"

#include <string.h>

void zero_begin(void) {
    if (zero_is(ZERO_FREE)) heap_stop_hits();
    if (zero_is(ZERO_ALLOC)) link_stop_hits();
}

// Below, writing zeros takes less time than giving the pages back and getting others.
enum { PURGED_LEAST = 512 << 10 };

void zero_freed_run(void* p) {
    size_t bytes = (uintptr_t)p % PAGE_SIZE_BYTES ? 0 : run_pages(p) * PAGE_SIZE_BYTES;
    if (bytes < PURGED_LEAST || !os_purge(p, bytes)) memset(p, 0, bytes);
}
