// The memory that the live blocks cover: one bit for every 16 bytes of address space. So two live blocks that overlap
// are caught when the second one is handed out. The map comes from mmap alone and is never given back.
// Thread-safety: all functions.
// Errors: an overlap, or no memory for the map, fails the test.
#ifndef TESTS_SHADOW_H
#define TESTS_SHADOW_H

#include <stddef.h>

void shadow_start(void);
// p is 16-byte aligned. Call shadow_add after a block was handed out, and shadow_remove before it is freed.
void shadow_add(const void* p, size_t size);
void shadow_remove(const void* p, size_t size);

#endif
