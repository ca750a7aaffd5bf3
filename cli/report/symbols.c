#include "report/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const unsigned char* bytes;
    size_t size;
};

static bool open_image(struct image* image, const char* path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) return false;
    void* bytes = MAP_FAILED;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > (off_t)sizeof(Elf64_Ehdr))
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes == MAP_FAILED) return false;
    *image = (struct image){bytes, (size_t)status.st_size};
    return true;
}

// `count` things of `size` bytes at `offset`, or NULL when the file does not hold them: a file may lie.
static const void* part(const struct image* image, uint64_t offset, uint64_t count, size_t size) {
    if (offset > image->size || count > (image->size - offset) / size) return NULL;
    return image->bytes + offset;
}

static bool address_of(const struct image* image, const Elf64_Ehdr* header, uint64_t file_offset, uint64_t* address) {
    const Elf64_Phdr* segments = part(image, header->e_phoff, header->e_phnum, sizeof *segments);
    for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD || file_offset < segments[i].p_offset ||
            file_offset - segments[i].p_offset >= segments[i].p_filesz)
            continue;
        *address = file_offset - segments[i].p_offset + segments[i].p_vaddr;
        return true;
    }
    return false;
}

// A name in a table of strings, which may lie about its end.
static void copy_name(char* out, size_t size, const char* text, const Elf64_Shdr* strings, uint32_t at) {
    snprintf(out, size, "%.*s", (int)strnlen(text + at, strings->sh_size - at), text + at);
}

static bool search_table(const struct image* image, const Elf64_Shdr* table, const Elf64_Shdr* strings,
                         uint64_t address, struct symbol* out) {
    size_t count = table->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *symbols = part(image, table->sh_offset, count, sizeof *symbols), *file = NULL;
    const char* text = part(image, strings->sh_offset, strings->sh_size, 1);
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

static bool search(const struct image* image, uint64_t file_offset, struct symbol* out) {
    const Elf64_Ehdr* header = part(image, 0, 1, sizeof *header);
    uint64_t address;
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        !address_of(image, header, file_offset, &address))
        return false;
    const Elf64_Shdr* sections = part(image, header->e_shoff, header->e_shnum, sizeof *sections);
    // The full table knows static functions; the dynamic one is what stripping leaves.
    static const uint32_t kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (size_t kind = 0; sections != NULL && kind < 2; kind++) {
        for (size_t i = 0; i < header->e_shnum; i++) {
            if (sections[i].sh_type != kinds[kind] || sections[i].sh_link >= header->e_shnum) continue;
            if (search_table(image, &sections[i], &sections[sections[i].sh_link], address, out)) return true;
        }
    }
    return false;
}

bool symbol_at(const char* path, uint64_t file_offset, struct symbol* out) {
    struct image image;
    if (!open_image(&image, path)) return false;
    bool found = search(&image, file_offset, out);
    munmap((void*)(uintptr_t)image.bytes, image.size);
    return found;
}
