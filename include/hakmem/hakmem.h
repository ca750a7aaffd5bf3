/* libhakmem: a general-purpose memory allocator. Public API.
 *
 * Every function is thread-safe, and none is async-signal-safe. Sizes are bytes. Every block is 16-byte aligned.
 * The same family under the names of the C library (malloc, free, ...) is in libhakmem.so and libhakmem.a; what is said
 * here of hak_malloc holds for malloc. */
#ifndef HAKMEM_H
#define HAKMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands here is public, also while the library itself is compiled with everything else hidden. */
#pragma GCC visibility push(default)

/* Memory of at least `size` bytes; hak_malloc(0) gives a distinct block. NULL with errno ENOMEM when there is none, or when
 * size exceeds PTRDIFF_MAX. */
void* hak_malloc(size_t size);

/* As hak_malloc of count * size, cleared. NULL with ENOMEM also when the product overflows. */
void* hak_calloc(size_t count, size_t size);

/* Grows or shrinks a block, keeping its contents up to the smaller size. p NULL: as hak_malloc. size 0: frees p, gives NULL,
 * as glibc does. On failure NULL with ENOMEM, and p stays as it was. */
void* hak_realloc(void* p, size_t size);
void* hak_reallocarray(void* p, size_t count, size_t size);

/* Ends the life of a block. NULL is allowed. errno is kept. A pointer that is no block of this allocator is diagnosed on
 * stderr (see docs/RUN.md) and aborts the process, without the memory behind it being touched. */
void hak_free(void* p);
void hak_free_sized(void* p, size_t size);
void hak_free_aligned_sized(void* p, size_t alignment, size_t size);

/* Aligned blocks; `alignment` is a power of two, else NULL with errno EINVAL (hak_posix_memalign: returns EINVAL or ENOMEM,
 * leaves *out alone on failure, and wants a multiple of sizeof(void*); where there is no memory, errno is ENOMEM, too, as
 * with glibc). hak_memalign rounds other alignments up, as glibc does. */
void* hak_aligned_alloc(size_t alignment, size_t size);
void* hak_memalign(size_t alignment, size_t size);
int hak_posix_memalign(void** out, size_t alignment, size_t size);
void* hak_valloc(size_t size);
void* hak_pvalloc(size_t size);

/* Bytes that may be used at p: at least what was asked for. 0 for NULL. */
size_t hak_malloc_usable_size(const void* p);

/* Gives free memory back to the system, all but `keep` bytes. Returns 1 when some was given back, else 0. */
int hak_trim(size_t keep);

/* Walks the calling thread's own slabs, its bins and lists, the bins that ended threads left for the next, the registries with the slabs in them that have no owner, and the unit
 * structures that all threads share, and tests them against their invariants; in a process of one thread all other slabs without
 * owner as well. Not the slabs of other threads, nor what is in their caches. In guard mode also what lies behind the live blocks
 * of these slabs. Other threads may go on meanwhile. Returns the number of violations, each described on stderr; a damaged link, or
 * a block that was written past its end, aborts. */
size_t hak_check(void);

/* Statistics of the whole process. `size` and `version` come first and tell an older reader what is there; fields are only
 * ever added at the end. Bytes: allocated <= active <= mapped. */
#define HAK_STATS_VERSION 1
typedef struct hak_stats_t {
    uint32_t size;       /* sizeof of the struct that the library filled in */
    uint32_t version;    /* HAK_STATS_VERSION */
    uint64_t allocated;  /* bytes in blocks that the program holds, or that wait in caches */
    uint64_t active;     /* bytes in slabs, SuperSlabs of page runs and huge blocks in use */
    uint64_t dirty;      /* free bytes that still occupy memory */
    uint64_t mapped;     /* bytes of address space mapped for blocks */
    uint64_t metadata;   /* bytes mapped for the allocator's own tables */
    uint64_t threads;    /* threads that have used the allocator and not ended */
    uint64_t superslabs; /* SuperSlabs in use */
    uint64_t slabs;      /* slabs in use */
} hak_stats_t;

/* Fills in *out, at most `size` bytes of it. Returns 0, or -1 with errno EINVAL when size is too small for the two headers. */
int hak_stats(hak_stats_t* out, size_t size);

/* The statistics and all counters as JSON text, ended by a zero byte, written to buffer. Returns the length without the
 * zero byte that the whole text has: when it is >= size, the text was cut. */
size_t hak_stats_json(char* buffer, size_t size);

/* Options by the name of their environment variable. hak_option_get writes the value as text and returns 0, or -1 with errno
 * ENOENT (no such option) or ERANGE (buffer too small). hak_option_set returns 0, or -1 with errno ENOENT, EINVAL (no such
 * value) or EBUSY (fixed since the first allocation). */
int hak_option_get(const char* name, char* buffer, size_t size);
int hak_option_set(const char* name, const char* value);

/* What is known of an address, as one line of text: SuperSlab, slab, block, class, owner. Of a small block in a slab that the calling
 * thread owns also whether it is free; "live or cached" says that it is the program's, or on its way back in some thread's cache.
 * Never touches the memory at p. Returns the length of the whole text, as snprintf does. */
size_t hak_describe(const void* p, char* buffer, size_t size);

/* "0.1.0" */
const char* hak_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
