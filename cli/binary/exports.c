#include "binary/exports.h"

#include "binary/elf_file.h"
#include "binary/symbol.h"

static bool exports(Elf* elf, const char* name) {
    uint64_t value;
    return elf_symbol_in(elf, SHT_DYNSYM, name, &value);
}

bool elf_file_exports(const char* path, const char* name) {
    struct elf_file file;
    if (!elf_file_open(&file, path)) return false;
    bool found = exports(file.elf, name);
    elf_file_close(&file);
    return found;
}

bool elf_file_lacks(const char* path, const char* name) {
    struct elf_file file;
    if (!elf_file_open(&file, path)) return false;
    bool found = exports(file.elf, name);
    elf_file_close(&file);
    return !found;
}
