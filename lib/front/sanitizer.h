// The runtime of a sanitizer behind us, in a process whose malloc is ours: gcc's runtimes are shared libraries, and a
// preloaded library comes before them. The runtime must see every block; otherwise it takes a block's second use for a
// fault. So it serves all blocks, and we serve none.
//
//   malloc -> bin, always empty -> refill -> sanitizer_malloc        free -> not a block of ours -> sanitizer_free
//
// Thread-safety: any thread, in no operation.
// Errors: NULL as the runtime's malloc.
#ifndef HAK_FRONT_SANITIZER_H
#define HAK_FRONT_SANITIZER_H

#include "base/atomic.h"

typedef enum { SANITIZER_UNKNOWN, SANITIZER_NONE, SANITIZER_SERVES } SanitizerState;
extern HAK_INTERNAL _Atomic uint32_t sanitizer_state;

HAK_COLD bool sanitizer_look(void);
HAK_INLINE bool sanitizer_serves(void) {
    return HAK_UNLIKELY(load_relaxed(&sanitizer_state) != SANITIZER_NONE) && sanitizer_look();
}

// alignment: a power of two.
HAK_COLD void* sanitizer_malloc(size_t alignment, size_t size);
HAK_COLD void sanitizer_free(void* p);
HAK_COLD void* sanitizer_realloc(void* p, size_t size);
HAK_COLD size_t sanitizer_usable_size(const void* p);

#endif
