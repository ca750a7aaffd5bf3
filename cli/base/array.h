// Arrays that double when they are full.
// Thread-safety: reentrant. Errors: NULL without memory; the array is then what it was.
#ifndef HAKSTRESS_ARRAY_H
#define HAKSTRESS_ARRAY_H

#include <stddef.h>

// Room for one more than `count` elements of `bytes` bytes; an empty array gets room for `first`. Returns the array,
// which may have moved.
void* array_room(void* array, size_t count, size_t* room, size_t first, size_t bytes);

#endif
