// What programs and libraries export to the other files of a process.
// Thread-safety: none. Errors: false, also if it is not an ELF file.
#ifndef HAKSTRESS_EXPORTS_H
#define HAKSTRESS_EXPORTS_H

#include <stdbool.h>

// Does the file export this function or variable?
bool elf_file_exports(const char* path, const char* name);
// Is it an ELF file that does not export it?
bool elf_file_lacks(const char* path, const char* name);

#endif
