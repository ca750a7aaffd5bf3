// A heap profile in pprof's format: a gzipped message of Protocol Buffers. `go tool pprof` and speedscope read it.
// Source: github.com/google/pprof, proto/profile.proto.
// Thread-safety: none. Errors: false with errno.
#ifndef HAKSTRESS_HEAP_PPROF_H
#define HAKSTRESS_HEAP_PPROF_H

#include "heap/profile.h"

#include <stdio.h>

bool heap_write_pprof(const struct heap_profile* profile, FILE* out);

#endif
