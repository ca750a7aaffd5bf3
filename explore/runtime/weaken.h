// Makes one memory order of the protocol a notch weaker, to see whether anything needs it. places.def has the names.
// Which place an operation is, follows from the named step before it, and from the word that it is about.
// Thread-safety: the process's only running thread.
// Errors: false: there is no such place.
#ifndef EXPLORE_RUNTIME_WEAKEN_H
#define EXPLORE_RUNTIME_WEAKEN_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t weakened;  // operations whose order was weakened

// "": none.
bool weaken_set(const char* name);

unsigned weaken_count(void);  // of places
const char* weaken_name(unsigned place);
// "owner word, compare-and-swap in `win`: ACQUIRE made RELAXED"; "": there is no such place.
const char* weaken_words(const char* name);

#endif
