// The two accesses that a data race is about, or the write that damaged a block: where they are in the recorded run,
// and where in the code.
// Thread-safety: none needed.
// Errors: what is not known is empty; a program without debug information has functions, but no lines.
#ifndef EXPLORE_TELL_ACCESSES_H
#define EXPLORE_TELL_ACCESSES_H

#include "record/event.h"

#include <stddef.h>

enum { NO_EVENT = UINT32_MAX, FUNCTION_ROOM = 64, PLACE_ROOM = 96 };

typedef struct {
    uint32_t earlier, later;  // numbers of events; NO_EVENT
} Accesses;

// From the record of a run with a fault, in which the bytes of that fault were watched (runtime/watch.h).
Accesses accesses_find(void);
// "writes the free list of slab 32, in slab_free_chain (lib/slab/slab.c:88), after LOCAL".
void access_describe(uint32_t event, char* out, size_t size);

typedef struct {
    char function[FUNCTION_ROOM];  // the innermost, also if it was inlined; "": none of the allocator's
    char file[PLACE_ROOM];         // from the root of the sources; ""
    uint32_t line;                 // 0: unknown
} AccessPlace;

AccessPlace access_place(const Event* e);
// The last named step before, in the same operation of the thread; HAK_STEP_COUNT: none.
uint16_t access_after(uint32_t event);

#endif
