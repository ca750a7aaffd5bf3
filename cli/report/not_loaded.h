// Why a living process has not loaded the library that LD_PRELOAD names.
// Thread-safety: none needed. Errors: NULL if no reason was found.
#ifndef HAKSTRESS_NOT_LOADED_H
#define HAKSTRESS_NOT_LOADED_H

#include <sys/types.h>

const char* not_loaded_why(pid_t thread, const char* library);

#endif
