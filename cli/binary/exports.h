// What programs and libraries offer to the other files of a process.
// Thread-safety: none. Errors: false, also where it is no ELF file.
#ifndef HAKSTRESS_EXPORTS_H
#define HAKSTRESS_EXPORTS_H

#include <stdbool.h>

// Can other files get this function or variable from it?
bool elf_file_exports(const char* path, const char* name);
// An ELF file of which that is not so.
bool elf_file_lacks(const char* path, const char* name);

#endif
