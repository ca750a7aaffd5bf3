#include "front/zero.h"

#include "slab/run_map.h"
#include "thread/link.h"

#include <string.h>

void zero_begin(void) {
    if (zero_is(ZERO_FREE)) heap_stop_hits();
    if (zero_is(ZERO_ALLOC)) link_stop_hits(true);
}

// Writing zeros takes a tenth of the time of giving pages back and getting others.
void zero_freed_run(void* p) {
    memset(p, 0, (uintptr_t)p % PAGE_SIZE_BYTES ? 0 : run_pages(p) * PAGE_SIZE_BYTES);
}
