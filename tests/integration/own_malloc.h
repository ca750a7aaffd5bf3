// A malloc that the program defines itself. own_malloc.c is compiled with OWN_NAMES, which says how many names it has:
//   2: malloc and free      3: these and malloc_usable_size      4: malloc, free, calloc and realloc, as libc asks
// The blocks are in an array or, with OWN_WRAPS, in blocks of the next malloc, behind a header. Its free must only get
// live blocks of its malloc; anything else is counted as wrong.
#ifndef TESTS_OWN_MALLOC_H
#define TESTS_OWN_MALLOC_H

#ifdef __cplusplus
extern "C" {
#endif

extern int own_allocated, own_freed, own_wrong;

#ifdef __cplusplus
}
#endif

#endif
