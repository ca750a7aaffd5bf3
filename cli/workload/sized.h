// malloc, and a free that gets the size: operator new and sized delete of the preloaded library, by their mangled
// names, because every allocator has them and few have C23's free_sized. Without such a library: malloc and free.
// Thread-safety: the pointers are set before main. Errors: none.
#ifndef HAKSTRESS_WORKLOAD_SIZED_H
#define HAKSTRESS_WORKLOAD_SIZED_H

#include <stddef.h>

extern void* (*sized_new)(size_t size);
extern void (*sized_delete)(void* block, size_t size);

#endif
