// The distribution's package that a file belongs to: the most reliable name of a library's version.
#ifndef HAKSTRESS_COMPARE_PACKAGE_H
#define HAKSTRESS_COMPARE_PACKAGE_H

#include <stddef.h>

// "libjemalloc2 5.3.0-1"; for the libhakmem that came with this program its own version; "" if no package manager knows
// the file.
void package_of_file(const char* path, char* out, size_t size);

#endif
