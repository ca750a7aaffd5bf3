#include "binary/exports.h"

#include "binary/elf_file.h"

#include <string.h>

static bool table_has(Elf* elf, Elf_Scn* section, const GElf_Shdr* header, const char* name) {
    Elf_Data* symbols = elf_getdata(section, NULL);
    size_t count = symbols != NULL && header->sh_entsize != 0 ? symbols->d_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(symbols, (int)i, &symbol) == NULL) return false;
        const char* found = symbol.st_shndx != SHN_UNDEF ? elf_strptr(elf, header->sh_link, symbol.st_name) : NULL;
        if (found != NULL && strcmp(found, name) == 0) return true;
    }
    return false;
}

static bool exports(Elf* elf, const char* name) {
    for (Elf_Scn* section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_DYNSYM) continue;
        if (table_has(elf, section, &header, name)) return true;
    }
    return false;
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
