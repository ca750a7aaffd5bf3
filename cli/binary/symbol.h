// Where a symbol of an ELF file is, also one that is hidden or local.
// Thread-safety: none. Errors: false if there is no such file or symbol, as in a stripped file without a separate one.
#ifndef HAKSTRESS_SYMBOL_H
#define HAKSTRESS_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

// *value: its address in the file, to which the address of the load is added.
bool elf_symbol(const char* path, const char* name, uint64_t* value);

#endif
