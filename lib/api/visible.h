// The functions in force, where somebody else's stand before ours (front/others.h): asked for what our other names are called with.
// Thread-safety: any thread. Errors: as the functions in force.
#ifndef HAK_API_VISIBLE_H
#define HAK_API_VISIBLE_H

#include "front/others.h"

#include <stddef.h>

// For a block that is freed by another name than free; alignment: where the call tells it, else 0. false: it is for us.
HAK_COLD bool others_free(uint32_t found, void* p, size_t alignment);
// operator new, as the C++ library has it: whether malloc or aligned_alloc, of whomever, are asked for the block, and
// asking them.
HAK_INLINE bool others_give(uint32_t found, size_t alignment) {
    return found & OTHERS_ALIGNED_ALLOC ? alignment != 0 || found & (OTHERS_MALLOC | OTHERS_FREE)
                                        : alignment <= 16 && found & (OTHERS_MALLOC | OTHERS_FREE);
}
HAK_COLD void* others_new(uint32_t found, size_t alignment, size_t size);
// Our realloc, where some of malloc, free and realloc are not ours.
HAK_COLD void* others_realloc(uint32_t found, void* p, size_t size);
HAK_COLD void* others_reallocarray(uint32_t found, void* p, size_t count, size_t size);
HAK_COLD size_t others_usable_size(void* p);
// Of the checked library: says once that `function` is ours, but the free in force is not.
void others_tell(const char* function);

#endif
