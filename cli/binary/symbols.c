#include "binary/symbols.h"

#include "binary/elf_image.h"

#include <stdio.h>
#include <string.h>

// A name in a table of strings, which may lie about its end.
static void copy_name(char* out, size_t size, const char* text, const Elf64_Shdr* strings, uint32_t at) {
    snprintf(out, size, "%.*s", (int)strnlen(text + at, strings->sh_size - at), text + at);
}

static bool search_table(const struct elf_image* image, const Elf64_Shdr* table, const Elf64_Shdr* strings,
                         uint64_t address, struct symbol* out) {
    size_t count = table->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *symbols = elf_part(image, table->sh_offset, count, sizeof *symbols), *file = NULL;
    const char* text = elf_part(image, strings->sh_offset, strings->sh_size, 1);
    for (size_t i = 0; symbols != NULL && text != NULL && i < count; i++) {
        const Elf64_Sym* symbol = &symbols[i];
        if (symbol->st_name >= strings->sh_size) continue;
        // The static functions of a file follow its name.
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FILE) file = symbol;
        bool inside = ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
                      address >= symbol->st_value && address - symbol->st_value < symbol->st_size;
        if (!inside) continue;
        copy_name(out->name, sizeof out->name, text, strings, symbol->st_name);
        out->file[0] = '\0';
        if (file != NULL && ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
            copy_name(out->file, sizeof out->file, text, strings, file->st_name);
        out->offset = address - symbol->st_value;
        return true;
    }
    return false;
}

static bool search(const struct elf_image* image, uint64_t file_offset, struct symbol* out) {
    uint64_t address;
    if (!elf_address_of(image, file_offset, &address)) return false;
    const Elf64_Shdr* sections = image->sections;
    size_t count = image->header->e_shnum;
    // The full table knows static functions; the dynamic one is what stripping leaves.
    static const uint32_t kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (size_t kind = 0; sections != NULL && kind < 2; kind++) {
        for (size_t i = 0; i < count; i++) {
            if (sections[i].sh_type != kinds[kind] || sections[i].sh_link >= count) continue;
            if (search_table(image, &sections[i], &sections[sections[i].sh_link], address, out)) return true;
        }
    }
    return false;
}

bool symbol_at(const char* path, uint64_t file_offset, struct symbol* out) {
    struct elf_image image;
    if (!elf_open(&image, path)) return false;
    bool found = search(&image, file_offset, out);
    elf_close(&image);
    return found;
}
