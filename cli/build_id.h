// The linker's build id of the running program, which names exactly this build.
#ifndef HAKSTRESS_BUILD_ID_H
#define HAKSTRESS_BUILD_ID_H

#include <stdbool.h>
#include <stddef.h>

#define BUILD_ID_TEXT_MAX 65

// In hexadecimal; false, and "", when it was linked without one.
bool build_id(char* out, size_t size);

#endif
