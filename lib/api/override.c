// The names of the C library, each a door to its hak_ function. Not part of the core that hakstress links.
#include "api/stats.h"
#include "api/visible.h"
#include "front/fastpath.h"
#include "front/refuse.h"
#include "guard/guard.h"

#include <errno.h>
#include <hakmem/hakmem.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#define DOOR HAK_PUBLIC
// A second name, which nobody else can define (front/others.h).
#if defined(__has_attribute) && __has_attribute(copy)
#define LIKE(name) , copy(name)
#else
#define LIKE(name)
#endif
#define OWN(name) extern __typeof__(name) own_##name __attribute__((alias(#name), visibility("hidden") LIKE(name)));

// If malloc and free are not ours, a block of ours may reach a free that does not know it. The checked library reports
// that.
HAK_INLINE void tell(const char* function) {
    if (HAK_CHECKED && others()) others_tell(function);
}

// malloc and free have the hit inline, without another jump.
HAK_INLINE void* inline_malloc(const GuardCall* call, size_t size) {
    return OR_REFUSED(call, size, guard_on() ? guard_malloc(call, size) : fast_malloc(size));
}

HAK_INLINE void inline_free(const GuardCall* call, void* p) {
    if (guard_on())
        guard_free(call, p);
    else
        fast_free(p);
}

DOOR HAK_LINE_START void* malloc(size_t size) {
    return inline_malloc(GUARD_CALL("malloc", HAK_GUARD_MALLOC), size);
}

DOOR HAK_LINE_START void free(void* p) {
    inline_free(GUARD_CALL("free", HAK_GUARD_MALLOC), p);
}

DOOR void* calloc(size_t count, size_t size) {
    tell("calloc");
    return hak_calloc(count, size);
}

DOOR void* realloc(void* p, size_t size) {
    uint32_t found = others();
    if (HAK_UNLIKELY(found)) return others_realloc(found, p, size);
    return hak_realloc(p, size);
}

DOOR void* reallocarray(void* p, size_t count, size_t size) {
    uint32_t found = others();
    if (HAK_UNLIKELY(found)) return others_reallocarray(found, p, count, size);
    return hak_reallocarray(p, count, size);
}

DOOR int posix_memalign(void** out, size_t alignment, size_t size) {
    tell("posix_memalign");
    return hak_posix_memalign(out, alignment, size);
}

DOOR void* aligned_alloc(size_t alignment, size_t size) {
    tell("aligned_alloc");
    return hak_aligned_alloc(alignment, size);
}

DOOR void* memalign(size_t alignment, size_t size) {
    tell("memalign");
    return hak_memalign(alignment, size);
}

DOOR void* valloc(size_t size) {
    tell("valloc");
    return hak_valloc(size);
}

DOOR void* pvalloc(size_t size) {
    tell("pvalloc");
    return hak_pvalloc(size);
}

DOOR size_t malloc_usable_size(void* p) {
    if (HAK_UNLIKELY(others())) return others_usable_size(p);
    return hak_malloc_usable_size(p);
}

OWN(malloc)
OWN(free)
OWN(realloc)
OWN(aligned_alloc)
OWN(malloc_usable_size)

void cfree(void* p);
void free_sized(void* p, size_t size);
void free_aligned_sized(void* p, size_t alignment, size_t size);

DOOR void cfree(void* p) {
    uint32_t found = others();
    if (HAK_UNLIKELY(found) && others_free(found, p, 0)) return;
    inline_free(GUARD_CALL("cfree", HAK_GUARD_MALLOC), p);
}

DOOR void free_sized(void* p, size_t size) {
    uint32_t found = others();
    if (HAK_UNLIKELY(found) && others_free(found, p, 0)) return;
    hak_free_sized(p, size);
}

DOOR void free_aligned_sized(void* p, size_t alignment, size_t size) {
    uint32_t found = others();
    if (HAK_UNLIKELY(found) && others_free(found, p, alignment)) return;
    hak_free_aligned_sized(p, alignment, size);
}

DOOR int malloc_trim(size_t keep) {
    return hak_trim(keep);
}

DOOR void malloc_stats(void) {
    hak_stats_text(output_stderr());
}

DOOR int malloc_info(int options, FILE* stream) {
    if (options == 0) return hak_stats_xml(stream);
    return EINVAL;  // as the C library's does
}

#if LIBC_HAS_MALLINFO
DOOR struct mallinfo2 mallinfo2(void) {
    return hak_mallinfo2();
}

static int capped(size_t n) {
    return n < INT_MAX ? (int)n : INT_MAX;
}

DOOR struct mallinfo mallinfo(void) {
    struct mallinfo2 m = hak_mallinfo2();
    return (struct mallinfo){.arena = capped(m.arena),
                             .ordblks = capped(m.ordblks),
                             .smblks = capped(m.smblks),
                             .hblks = capped(m.hblks),
                             .hblkhd = capped(m.hblkhd),
                             .usmblks = capped(m.usmblks),
                             .fsmblks = capped(m.fsmblks),
                             .uordblks = capped(m.uordblks),
                             .fordblks = capped(m.fordblks),
                             .keepcost = capped(m.keepcost)};
}
#endif

// Tuning parameters for another allocator: accepted and ignored. Programs expect 1 for success.
DOOR int mallopt(int parameter, int value) {
    (void)parameter, (void)value;
    return 1;
}

#if LIBC_IS_GLIBC
// Names under which the C library is known to call its own allocator. What musl calls by them it also frees by them.
// clang-format off
#define LIBC_DOOR(type, name, params, body) type name params; DOOR type name params { body; }
LIBC_DOOR(void*, __libc_malloc, (size_t size), return inline_malloc(GUARD_CALL("malloc", HAK_GUARD_MALLOC), size))
LIBC_DOOR(void, __libc_free, (void* p), inline_free(GUARD_CALL("free", HAK_GUARD_MALLOC), p))
LIBC_DOOR(void, __libc_cfree, (void* p), inline_free(GUARD_CALL("cfree", HAK_GUARD_MALLOC), p))
LIBC_DOOR(void*, __libc_calloc, (size_t count, size_t size), return hak_calloc(count, size))
LIBC_DOOR(void*, __libc_realloc, (void* p, size_t size), return hak_realloc(p, size))
LIBC_DOOR(void*, __libc_memalign, (size_t alignment, size_t size), return hak_memalign(alignment, size))
LIBC_DOOR(void*, __libc_valloc, (size_t size), return hak_valloc(size))
LIBC_DOOR(void*, __libc_pvalloc, (size_t size), return hak_pvalloc(size))
// clang-format on
#endif
