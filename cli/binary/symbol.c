#include "binary/symbol.h"

#include "binary/elf_file.h"

#include <string.h>

static bool find_in(Elf* elf, Elf_Scn* section, const GElf_Shdr* header, const char* name, uint64_t* value) {
    Elf_Data* data = elf_getdata(section, NULL);
    size_t count = data != NULL && header->sh_entsize != 0 ? header->sh_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL || symbol.st_shndx == SHN_UNDEF) continue;
        const char* found = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (found == NULL || strcmp(found, name) != 0) continue;
        *value = symbol.st_value;
        return true;
    }
    return false;
}

bool elf_symbol(const char* path, const char* name, uint64_t* value) {
    struct elf_file file;
    bool found = false;
    if (!elf_file_open(&file, path)) return false;
    for (Elf_Scn* section = NULL; !found && (section = elf_nextscn(file.elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB)
            found = find_in(file.elf, section, &header, name, value);
    }
    elf_file_close(&file);
    return found;
}
