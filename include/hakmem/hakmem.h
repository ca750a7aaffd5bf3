/* libhakmem: a general-purpose memory allocator. Public API.
 *
 * Thread-safety: every function. None is async-signal-safe.
 * Errors: as said at each.
 * Sizes are bytes. Every block is 16-byte aligned. libhakmem.so and libhakmem.a also have the family under the names of
 * the C library (malloc, free, ...): what is said here of hak_malloc holds for malloc. */
#ifndef HAKMEM_H
#define HAKMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version that a program is compiled for; hak_version() is that of the library it runs with. */
#define HAKMEM_VERSION_MAJOR 0
#define HAKMEM_VERSION_MINOR 2
#define HAKMEM_VERSION_PATCH 0

/* What compilers are told, so that they find mistakes before the program runs (docs/SAFETY.md): gcc -fanalyzer, clang
 * --analyze, -D_FORTIFY_SOURCE. HAKMEM_NO_ATTRIBUTES leaves it out, as where the allocator itself is under test. */
#if defined(__has_attribute) && !defined(HAKMEM_NO_ATTRIBUTES)
#define HAK_API_HAS(attribute) __has_attribute(attribute)
#else
#define HAK_API_HAS(attribute) 0
#endif
/* A result that no other live block overlaps. */
#if HAK_API_HAS(__malloc__)
#define HAK_API_FRESH __attribute__((__malloc__))
#else
#define HAK_API_FRESH
#endif
/* Which function frees a result: gcc is told by name, clang that there is one family. */
#if HAK_API_HAS(__malloc__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define HAK_API_FREED_BY(function) __attribute__((__malloc__(function, 1)))
#else
#define HAK_API_FREED_BY(function)
#endif
#if HAK_API_HAS(__ownership_returns__)
#define HAK_API_GIVES __attribute__((__ownership_returns__(__malloc__)))
#define HAK_API_TAKES __attribute__((__ownership_takes__(__malloc__, 1)))
#else
#define HAK_API_GIVES
#define HAK_API_TAKES
#endif
/* Bytes that were asked for: argument n, or n * m. */
#if HAK_API_HAS(__alloc_size__)
#define HAK_API_SIZE(n) __attribute__((__alloc_size__(n)))
#define HAK_API_SIZES(n, m) __attribute__((__alloc_size__(n, m)))
#else
#define HAK_API_SIZE(n)
#define HAK_API_SIZES(n, m)
#endif
#if HAK_API_HAS(__assume_aligned__)
#define HAK_API_ALIGNED(bytes) __attribute__((__assume_aligned__(bytes)))
#else
#define HAK_API_ALIGNED(bytes)
#endif
#if HAK_API_HAS(__alloc_align__)
#define HAK_API_ALIGNED_BY(n) __attribute__((__alloc_align__(n)))
#else
#define HAK_API_ALIGNED_BY(n)
#endif
#if HAK_API_HAS(__warn_unused_result__)
#define HAK_API_USED __attribute__((__warn_unused_result__))
#else
#define HAK_API_USED
#endif
#if HAK_API_HAS(__returns_nonnull__)
#define HAK_API_NEVER_NULL __attribute__((__returns_nonnull__))
#else
#define HAK_API_NEVER_NULL
#endif
/* realloc is not told to free its argument: where it fails, it does not. */
#define HAK_API_RESIZED HAK_API_FREED_BY(hak_free) HAK_API_FREED_BY(hak_free_sized) HAK_API_ALIGNED(16) HAK_API_USED
#define HAK_API_BLOCK HAK_API_RESIZED HAK_API_FRESH HAK_API_GIVES
#define HAK_API_ALIGNED_BLOCK  \
    HAK_API_FREED_BY(hak_free) \
    HAK_API_FREED_BY(hak_free_aligned_sized) HAK_API_ALIGNED(16) HAK_API_USED HAK_API_FRESH HAK_API_GIVES

#ifdef __cplusplus
extern "C" {
#endif

/* These names are public even where the library itself is compiled, with everything else hidden. */
#pragma GCC visibility push(default)

/* Frees a block. NULL is allowed. errno is kept. If the pointer is not a block of this allocator, or the block is free
 * already and that is noticed, the process reports that on stderr (see docs/RUN.md) and aborts. With
 * HAKMEM_ON_ERROR=report it goes on, and the pointer is left alone. */
HAK_API_TAKES void hak_free(void* p);
HAK_API_TAKES void hak_free_sized(void* p, size_t size);
HAK_API_TAKES void hak_free_aligned_sized(void* p, size_t alignment, size_t size);

/* Returns a block of at least `size` bytes; hak_malloc(0) returns a block of its own. NULL with errno ENOMEM if there
 * is no memory, or if size exceeds PTRDIFF_MAX. */
HAK_API_BLOCK HAK_API_SIZE(1) void* hak_malloc(size_t size);

/* As hak_malloc(count * size), with all bytes zero. NULL with ENOMEM also if the product overflows. */
HAK_API_BLOCK HAK_API_SIZES(1, 2) void* hak_calloc(size_t count, size_t size);

/* Grows or shrinks a block and keeps its contents up to the smaller size. p NULL: as hak_malloc. size 0: frees p and
 * returns NULL, as glibc does. On failure it returns NULL with ENOMEM, and p stays as it was. */
HAK_API_RESIZED HAK_API_SIZE(2) void* hak_realloc(void* p, size_t size);
HAK_API_RESIZED HAK_API_SIZES(2, 3) void* hak_reallocarray(void* p, size_t count, size_t size);

/* Aligned blocks. `alignment` must be a power of two, else NULL with errno EINVAL; hak_memalign rounds other alignments
 * up, as glibc does. hak_posix_memalign returns EINVAL or ENOMEM, leaves *out alone on failure, and also requires a
 * multiple of sizeof(void*); if there is no memory, it sets errno to ENOMEM, too, as glibc does. */
HAK_API_ALIGNED_BLOCK HAK_API_SIZE(2) HAK_API_ALIGNED_BY(1) void* hak_aligned_alloc(size_t alignment, size_t size);
HAK_API_ALIGNED_BLOCK HAK_API_SIZE(2) void* hak_memalign(size_t alignment, size_t size);
HAK_API_USED int hak_posix_memalign(void** out, size_t alignment, size_t size);
HAK_API_ALIGNED_BLOCK HAK_API_SIZE(1) void* hak_valloc(size_t size);
HAK_API_ALIGNED_BLOCK HAK_API_SIZE(1) void* hak_pvalloc(size_t size);

/* Number of bytes that may be used at p: at least what was asked for. 0 for NULL. Compilers know only what was asked
 * for: with -D_FORTIFY_SOURCE the C library stops a program that copies more there. */
size_t hak_malloc_usable_size(const void* p);

/* Gives free memory back to the system, except `keep` bytes. Returns 1 if some was given back, else 0. */
int hak_trim(size_t keep);

/* Tests invariants of the heap: of the calling thread's slabs, bins and lists; of the bins that ended threads left for
 * the next; of the registries and the slabs without owner in them; and of the unit structures that all threads share.
 * In a process of one thread it tests all other slabs without owner, too. It does not test other threads' slabs and
 * caches. In guard mode it also checks the bytes behind the live blocks of the tested slabs. Other threads may go on
 * meanwhile. Returns the number of violations, each described on stderr. A damaged link, or a block that was written
 * past its end, aborts. */
size_t hak_check(void);

/* Statistics of the whole process. `size` and `version` come first and say which fields there are. New fields are only
 * added at the end. Bytes: allocated <= active <= mapped. */
#define HAK_STATS_VERSION 1
typedef struct hak_stats_t {
    uint32_t size;       /* sizeof of the struct that the library filled in */
    uint32_t version;    /* HAK_STATS_VERSION */
    uint64_t allocated;  /* bytes in blocks that the program holds or caches keep */
    uint64_t active;     /* bytes in slabs, SuperSlabs of page runs and huge blocks in use */
    uint64_t dirty;      /* free bytes that still occupy memory */
    uint64_t mapped;     /* bytes of address space mapped for blocks */
    uint64_t metadata;   /* bytes mapped for the allocator's own tables */
    uint64_t threads;    /* threads that have used the allocator and have not ended */
    uint64_t superslabs; /* SuperSlabs in use */
    uint64_t slabs;      /* slabs in use */
} hak_stats_t;

/* Fills in *out, at most `size` bytes of it. Returns 0, or -1 with errno EINVAL if size is too small for `size` and
 * `version`. */
int hak_stats(hak_stats_t* out, size_t size);

/* Writes the statistics and all counters to buffer as JSON text that ends with a zero byte. Returns the length of the
 * whole text, without the zero byte: if it is >= size, the text was cut. */
size_t hak_stats_json(char* buffer, size_t size);

/* Options, by the name of their environment variable. hak_option_get writes the value as text and returns 0, or -1 with
 * errno ENOENT (no such option) or ERANGE (buffer too small). hak_option_set returns 0, or -1 with errno ENOENT, EINVAL
 * (no such value) or EBUSY (fixed since the first allocation). */
int hak_option_get(const char* name, char* buffer, size_t size);
int hak_option_set(const char* name, const char* value);

/* Describes an address in one line of text: SuperSlab, slab, block, class, owner. For a small block in a slab that the
 * calling thread owns, it also says whether the block is free. "live or cached" means that the program has the block,
 * or that it is on its way back in some thread's cache. The memory at p is never touched. Returns the length of the
 * whole text, as snprintf does. */
size_t hak_describe(const void* p, char* buffer, size_t size);

/* "MAJOR.MINOR.PATCH" */
HAK_API_NEVER_NULL const char* hak_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#undef HAK_API_HAS
#undef HAK_API_FRESH
#undef HAK_API_FREED_BY
#undef HAK_API_GIVES
#undef HAK_API_TAKES
#undef HAK_API_SIZE
#undef HAK_API_SIZES
#undef HAK_API_ALIGNED
#undef HAK_API_ALIGNED_BY
#undef HAK_API_USED
#undef HAK_API_NEVER_NULL
#undef HAK_API_RESIZED
#undef HAK_API_BLOCK
#undef HAK_API_ALIGNED_BLOCK
#endif
