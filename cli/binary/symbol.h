// Symbols of an ELF file.
// Thread-safety: none. Errors: false if there is no such file or symbol, as in a stripped file without a separate one.
#ifndef HAKSTRESS_SYMBOL_H
#define HAKSTRESS_SYMBOL_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

// Where a symbol is, also one that is hidden or local. *value: its address in the file, to which the address of the
// load is added.
bool elf_symbol(const char* path, const char* name, uint64_t* value);

// The same in an open file, by its tables of one type: SHT_SYMTAB, or SHT_DYNSYM for what it exports.
bool elf_symbol_in(Elf* elf, uint32_t table, const char* name, uint64_t* value);

#endif
