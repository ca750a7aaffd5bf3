// Workloads are compiled twice: on hak_ names for repro and guard (HAK_WORKLOAD_LINKED), and on the plain names of the C library
// for the worker under which bench and compare preload every allocator.
#ifndef HAKSTRESS_WORKLOAD_ALLOC_H
#define HAKSTRESS_WORKLOAD_ALLOC_H

#include <stdlib.h>

#ifdef HAK_WORKLOAD_LINKED
#include <hakmem/hakmem.h>
#define wl_malloc hak_malloc
#define wl_calloc hak_calloc
#define wl_realloc hak_realloc
#define wl_free hak_free
#else
#define wl_malloc malloc
#define wl_calloc calloc
#define wl_realloc realloc
#define wl_free free
#endif
#endif
