// The six changes as switches. An option of the checked build says which of them are missing. In the release build none
// ever is, and the compiler drops the branches that ask.
// Thread-safety: fixed since the first allocation.
// Errors: none.
#ifndef HAK_CONFIG_CHANGES_H
#define HAK_CONFIG_CHANGES_H

#include "config/options.h"

typedef enum {
#define CHANGE(number, site, file, missing, words) CHANGE_##site = (number),
#include "config/changes.def"
#undef CHANGE
    CHANGES_END
} Change;

enum { CHANGES_COUNT = CHANGES_END - 1 };

HAK_INLINE bool change_is_missing(Change change) {
    return HAK_CHECKED && (hak_option(changes) >> (change - 1) & 1) == 0;
}

HAK_INLINE bool some_change_is_missing(void) {
    return HAK_CHECKED && hak_option(changes) != (1 << CHANGES_COUNT) - 1;
}

#endif
