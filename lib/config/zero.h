// HAKMEM_ZERO: whether blocks are cleared when they are freed, or when they are handed out. Guard mode fills blocks in
// its own ways, and clears none.
// Thread-safety: fixed since the first allocation. Errors: none.
#ifndef HAK_CONFIG_ZERO_H
#define HAK_CONFIG_ZERO_H

#include "config/options.h"

typedef enum { ZERO_NONE, ZERO_FREE, ZERO_ALLOC } ZeroMode;  // in the order of the option's words

HAK_INLINE bool zero_is(ZeroMode mode) {
    return HAK_UNLIKELY(hak_option(zero) == (int64_t)mode) && !(HAK_CHECKED && hak_option(guard) != 0);
}

#endif
