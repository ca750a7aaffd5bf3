// Names of the malloc family that others define in front of this library: the program, or a library loaded before. The
// C library asks a program only for malloc, free, calloc and realloc. A name that such a program does not define is
// ours, and gets its blocks.
//
//   reallocarray ──> the realloc in force         cfree, free_sized, operator delete ──> the free in force
//   operator new ──> the malloc in force          aligned functions, calloc ──> ours, as they would be the C library's
//
// A foreign block may lie in our heap, if the other malloc puts a header before what ours returned. Over-aligned blocks
// of our operator new or aligned_alloc come back to us directly where the call has their alignment.
// Thread-safety: any thread.
// Errors: as the functions in force.
#ifndef HAK_FRONT_OTHERS_H
#define HAK_FRONT_OTHERS_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    OTHERS_MALLOC = 1,  // another malloc is in force
    OTHERS_FREE = 2,
    OTHERS_REALLOC = 4,
    OTHERS_ALIGNED_ALLOC = 8,
    OTHERS_USABLE_SIZE = 16,
    OTHERS_LIBC = 32,     // malloc is the C library's: a call of ours was meant for us, or came by chance
    OTHERS_UNKNOWN = 64,  // not looked up yet
};

// The bits above; 0: all names are ours.
extern HAK_INTERNAL _Atomic uint32_t hak_others;

// For the last words about a block that is not ours: "", or "; malloc does not come from this library here, ...".
const char* others_words(void);
#define OTHERS_WORDS "does not come from this library here"  // part of them; hakstress searches for it

// What follows is part of the library, not of the core that hakstress links.
HAK_COLD uint32_t others_look(void);
// Whether another malloc is in force.
bool malloc_is_foreign(void);
HAK_INLINE uint32_t others(void) {
    return HAK_UNLIKELY(load_relaxed(&hak_others) != 0) ? others_look() : 0;
}

#endif
