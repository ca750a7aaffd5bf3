// What the C libraries for Linux do not have in common. glibc has all of it; musl, for example, has none. No other file
// asks which C library it is, except for a macro that a header of the library itself defines.
// Thread-safety: pure functions.
// Errors: none.
#ifndef HAK_BASE_LIBC_H
#define HAK_BASE_LIBC_H

#include "base/compiler.h"

#include <stdlib.h>  // has the macros of the library's name and version

#if defined(__GLIBC__)
#include <gnu/libc-version.h>
// It passes the environment to constructors, has names of its own for its allocator, and tells which symbol is at an
// address (dladdr1).
#define LIBC_IS_GLIBC 1
#define LIBC_HAS_MALLINFO (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 33))
// A function that nobody but the C library defines.
#define LIBC_OWN_FUNCTION gnu_get_libc_version
#else
#include <sys/auxv.h>
#define LIBC_IS_GLIBC 0
#define LIBC_HAS_MALLINFO 0
#define LIBC_OWN_FUNCTION getauxval
#endif

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define LIBC_SINGLE_THREADED __libc_single_threaded
#else
#define LIBC_SINGLE_THREADED 0
#endif

// Whether the process surely has one thread. false where the library does not tell.
HAK_INLINE bool libc_single_threaded(void) {
    return LIBC_SINGLE_THREADED;
}

#endif
