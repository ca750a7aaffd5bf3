// The malloc family under test, as t_malloc, t_free, ... The same test is compiled twice: on the names of the C
// library, to run under LD_PRELOAD of any allocator; and, with TEST_LINKED, on the hak_ names of the core that is
// linked in.
#ifndef TESTS_FAMILY_H
#define TESTS_FAMILY_H

#include <malloc.h>
#include <stdlib.h>

#ifdef TEST_LINKED
#include <hakmem/hakmem.h>
#define t_malloc hak_malloc
#define t_calloc hak_calloc
#define t_realloc hak_realloc
#define t_reallocarray hak_reallocarray
#define t_free hak_free
#define t_aligned_alloc hak_aligned_alloc
#define t_memalign hak_memalign
#define t_posix_memalign hak_posix_memalign
#define t_valloc hak_valloc
#define t_pvalloc hak_pvalloc
#define t_usable_size hak_malloc_usable_size
#define t_trim hak_trim
#else
#define t_malloc malloc
#define t_calloc calloc
#define t_realloc realloc
#define t_reallocarray reallocarray
#define t_free free
#define t_aligned_alloc aligned_alloc
#define t_memalign memalign
#define t_posix_memalign posix_memalign
#define t_valloc valloc
#define t_pvalloc pvalloc
#define t_usable_size(p) malloc_usable_size((void*)(p))
#define t_trim(keep) malloc_trim(keep)
#endif

#endif
