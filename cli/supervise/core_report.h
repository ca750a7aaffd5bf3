// The crash report of a core dump.
// Thread-safety: none needed. Errors: NULL; *problem says why.
#ifndef HAKSTRESS_CORE_REPORT_H
#define HAKSTRESS_CORE_REPORT_H

#include <jansson.h>
#include <stdint.h>

// `program`: NULL: the one that the core names. `address`: to be explained too; 0: none.
json_t* core_report(const char* path, const char* program, uint64_t address, const char** problem);

#endif
