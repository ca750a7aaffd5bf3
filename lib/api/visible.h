// Calls the functions in force where others stand before ours (front/others.h), when one of our other names is called.
// Thread-safety: any thread.
// Errors: as the functions in force.
#ifndef HAK_API_VISIBLE_H
#define HAK_API_VISIBLE_H

#include "front/others.h"

#include <stddef.h>

// Frees a block by a name other than free. alignment: if the call has it, else 0. false: the block is ours to free.
HAK_COLD bool others_free(uint32_t found, void* p, size_t alignment);
// operator new, as in the C++ library: whether the block must come from another malloc or aligned_alloc, and a call of
// that.
HAK_INLINE bool others_give(uint32_t found, size_t alignment) {
    return found & OTHERS_ALIGNED_ALLOC ? alignment != 0 || found & (OTHERS_MALLOC | OTHERS_FREE)
                                        : alignment <= 16 && found & (OTHERS_MALLOC | OTHERS_FREE);
}
HAK_COLD void* others_new(uint32_t found, size_t alignment, size_t size);
// Our realloc, where some of malloc, free and realloc are not ours.
HAK_COLD void* others_realloc(uint32_t found, void* p, size_t size);
HAK_COLD void* others_reallocarray(uint32_t found, void* p, size_t count, size_t size);
HAK_COLD size_t others_usable_size(void* p);
// In the checked library: reports once that `function` is ours, but the free in force is not.
void others_tell(const char* function);

#endif
