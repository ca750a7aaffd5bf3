#include "front/zero.h"

#include "front/block.h"
#include "thread/link.h"

#include <string.h>

void zero_begin(void) {
    if (zero_is(ZERO_FREE)) heap_stop_hits();
    if (zero_is(ZERO_ALLOC)) link_stop_hits(true);
}

// Writing zeros takes a tenth of the time of giving pages back and getting others.
void zero_block(void* block) {
    memset(block, 0, block_bytes(block));
}
