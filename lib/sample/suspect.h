// Which block a wrong access was meant for.
// Thread-safety: any thread, and signal handlers.
// Errors: slot NULL if no block was near, or the address lies in the open pages of a live block: since the access,
// another block has taken the slot.
#ifndef HAK_SAMPLE_SUSPECT_H
#define HAK_SAMPLE_SUSPECT_H

#include "sample/slots.h"

typedef enum { PLACE_BEFORE, PLACE_INSIDE, PLACE_BEHIND } AccessPlace;

typedef struct {
    Slot* slot;
    bool freed;
    AccessPlace place;
    size_t distance;    // from the start if it lies before it or inside, else from the end
    const char* check;  // overflow, underflow or use_after_free
} Suspect;

Suspect suspect_of(const void* address);

#endif
