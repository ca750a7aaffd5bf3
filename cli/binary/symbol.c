#include "binary/symbol.h"

#include "binary/elf_file.h"

#include <string.h>

static bool table_has(Elf* elf, Elf_Scn* section, const GElf_Shdr* header, const char* name, uint64_t* value) {
    Elf_Data* symbols = elf_getdata(section, NULL);
    size_t count = symbols != NULL && header->sh_entsize != 0 ? symbols->d_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(symbols, (int)i, &symbol) == NULL || symbol.st_shndx == SHN_UNDEF) continue;
        const char* found = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (found == NULL || strcmp(found, name) != 0) continue;
        *value = symbol.st_value;
        return true;
    }
    return false;
}

bool elf_symbol_in(Elf* elf, uint32_t table, const char* name, uint64_t* value) {
    for (Elf_Scn* section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != table) continue;
        if (table_has(elf, section, &header, name, value)) return true;
    }
    return false;
}

bool elf_symbol(const char* path, const char* name, uint64_t* value) {
    struct elf_file file;
    if (!elf_file_open(&file, path)) return false;
    bool found = elf_symbol_in(file.elf, SHT_SYMTAB, name, value);
    elf_file_close(&file);
    return found;
}
