// C++ names as they are in the source. The C++ library demangles them, if this machine has one: hakstress itself is C
// and does not need one.
// Thread-safety: none needed. Errors: false if it is not a C++ name or cannot be read.
#ifndef HAKSTRESS_DEMANGLE_H
#define HAKSTRESS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

bool demangle(const char* name, char* out, size_t size);

#endif
