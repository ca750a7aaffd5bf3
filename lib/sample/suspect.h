// Which block a wrong access was meant for.
// Thread-safety: signal handlers, too; one caller at a time, since what it returns is of this folder's memory.
// Errors: slot NULL if no block was near.
#ifndef HAK_SAMPLE_SUSPECT_H
#define HAK_SAMPLE_SUSPECT_H

#include "sample/slots.h"

typedef enum { PLACE_BEFORE, PLACE_INSIDE, PLACE_BEHIND } AccessPlace;

typedef struct {
    Slot* slot;
    const SlotView* view;  // of the slot
    bool freed;
    bool open;    // the address is in an open page of a live block, or may be, as its slot is being changed
    bool unsure;  // the block may have come there after the access
    AccessPlace place;
    size_t distance;    // from the start if it lies before it or inside, else from the end
    const char* check;  // overflow, underflow or use_after_free
} Suspect;

// `by`: the thread of the access.
Suspect suspect_of(const void* address, const SampleCall* by);

#endif
