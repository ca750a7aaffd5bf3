// The name that the user probably meant.
#ifndef HAKSTRESS_NEAREST_H
#define HAKSTRESS_NEAREST_H

#include "base/distance.h"

#include <stddef.h>

// Keeps a copy of the best candidate so far. Start with {.typed = text} and offer every name. `best` is "" if none is
// near.
enum { NEAREST_LONGEST = DISTANCE_MOST };
struct nearest {
    const char* typed;
    size_t distance;
    char best[NEAREST_LONGEST + 1];
};

void nearest_offer(struct nearest* nearest, const char* name);

#endif
