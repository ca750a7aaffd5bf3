// Workloads are compiled several times: on hak_ names for repro and guard (HAK_WORKLOAD_LINKED); on the plain names of
// the C library for the worker, under which bench and compare preload every allocator; and for the worker's two
// companions, on the plain names with a clock around them (WORKLOAD_TIMED) and on the floor of the machine
// (WORKLOAD_LIMIT). So the plain one pays for nothing.
// wl_new and wl_delete pass the block's size to the allocator at the free: by C++'s sized delete, if the preloaded
// library has one.
#ifndef HAKSTRESS_WORKLOAD_ALLOC_H
#define HAKSTRESS_WORKLOAD_ALLOC_H

#include <stdlib.h>

#if defined(HAK_WORKLOAD_LINKED)
#include <hakmem/hakmem.h>
#define wl_malloc hak_malloc
#define wl_calloc hak_calloc
#define wl_realloc hak_realloc
#define wl_free hak_free
#define wl_posix_memalign hak_posix_memalign
#define wl_new hak_malloc
#define wl_delete hak_free_sized
#elif defined(WORKLOAD_TIMED)
#include "workload/timed.h"
#define wl_malloc timed_malloc
#define wl_calloc timed_calloc
#define wl_realloc timed_realloc
#define wl_free timed_free
#define wl_new timed_new
#define wl_delete timed_delete
#define wl_posix_memalign posix_memalign  // calls of it are not timed
#elif defined(WORKLOAD_LIMIT)
#include "workload/limit.h"
#define wl_malloc limit_malloc
#define wl_calloc limit_calloc
#define wl_realloc limit_realloc
#define wl_free limit_free
#define wl_new limit_malloc
#define wl_delete limit_delete
#define wl_posix_memalign posix_memalign  // never called: workloads that align have no floor
#else
#include "workload/sized.h"
#define wl_malloc malloc
#define wl_calloc calloc
#define wl_realloc realloc
#define wl_free free
#define wl_new sized_new
#define wl_delete sized_delete
#define wl_posix_memalign posix_memalign
#endif
#endif
