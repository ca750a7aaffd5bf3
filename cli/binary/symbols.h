// Names of functions from the symbol tables of ELF files. Unlike libunwind, which takes the nearest symbol before an address, a
// function is named only when the address lies within it: in a stripped library the nearest one is some other function.
// Thread-safety: none needed. Errors: false, no name.
#ifndef HAKSTRESS_SYMBOLS_H
#define HAKSTRESS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
    char name[1024];
    char file[64];    // the source file of a static function; "" where that is not known
    uint64_t offset;  // how far into the function
};

// The function at byte `file_offset` of an ELF file.
bool symbol_at(const char* path, uint64_t file_offset, struct symbol* out);

#endif
