// The command line that repeats a comparison: all arguments, and the seed that was drawn.
// Thread-safety: none. Errors: none; the text is cut to fit.
#ifndef HAKSTRESS_COMPARE_AGAIN_H
#define HAKSTRESS_COMPARE_AGAIN_H

#include "args/args.h"

#include <stddef.h>
#include <stdint.h>

enum { AGAIN_BYTES = 8192 };

void again_describe(const struct args* args, uint64_t seed, char* out, size_t size);

#endif
