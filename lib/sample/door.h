// The door: hits of malloc are stopped until a given number of mallocs has come by, whichever thread calls them. So a
// sample may be a block that a bin would have given without a refill.
//
//   closed --door_open(n)--> open, n mallocs to go --door_pass, n times--> closed; the n-th is the sample
//
// Thread-safety: any thread. Two threads that open it at once share what the second one asked for; one that closes it
// at that moment leaves it to misses alone to count.
// Errors: none.
#ifndef HAK_SAMPLE_DOOR_H
#define HAK_SAMPLE_DOOR_H

#include "base/atomic.h"

extern HAK_INTERNAL _Atomic int32_t door_to_go;

void door_open(int32_t mallocs);
// For a malloc on the slow path, while the door is open. true: it is the sample.
bool door_pass(void);
HAK_INLINE bool door_is_open(void) {
    return load_relaxed(&door_to_go) > 0;
}

#endif
