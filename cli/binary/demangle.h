// C++ names as their source has them, by the C++ library, if this machine has one: hakstress itself is C and needs none.
// Thread-safety: none needed. Errors: false, the name is none of C++ or cannot be read.
#ifndef HAKSTRESS_DEMANGLE_H
#define HAKSTRESS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

bool demangle(const char* name, char* out, size_t size);

#endif
