// The command line that does a comparison again: all that it was given, and the seed that was drawn.
// Thread-safety: none. Errors: none; what does not fit is cut.
#ifndef HAKSTRESS_COMPARE_AGAIN_H
#define HAKSTRESS_COMPARE_AGAIN_H

#include "args/args.h"

#include <stddef.h>
#include <stdint.h>

enum { AGAIN_BYTES = 8192 };

void again_describe(const struct args* args, uint64_t seed, char* out, size_t size);

#endif
