#include "base/array.h"

#include <stdlib.h>

void* array_room(void* array, size_t count, size_t* room, size_t first, size_t bytes) {
    if (count < *room) return array;
    size_t more = *room * 2 + first;
    void* grown = realloc(array, more * bytes);
    if (grown != NULL) *room = more;
    return grown;
}
