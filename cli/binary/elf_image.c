#include "binary/elf_image.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_file(struct elf_image* image, const char* path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) return false;
    void* bytes = MAP_FAILED;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > (off_t)sizeof(Elf64_Ehdr))
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes == MAP_FAILED) return false;
    *image = (struct elf_image){.bytes = bytes, .size = (size_t)status.st_size};
    return true;
}

bool elf_open(struct elf_image* image, const char* path) {
    if (!map_file(image, path)) return false;
    const Elf64_Ehdr* header = elf_part(image, 0, 1, sizeof *header);
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) {
        elf_close(image);
        return false;
    }
    image->header = header;
    image->sections = elf_part(image, header->e_shoff, header->e_shnum, sizeof(Elf64_Shdr));
    return true;
}

void elf_close(struct elf_image* image) {
    munmap((void*)(uintptr_t)image->bytes, image->size);
}

const void* elf_part(const struct elf_image* image, uint64_t offset, uint64_t count, size_t size) {
    if (offset > image->size || count > (image->size - offset) / size) return NULL;
    return image->bytes + offset;
}

bool elf_address_of(const struct elf_image* image, uint64_t file_offset, uint64_t* address) {
    const Elf64_Ehdr* header = image->header;
    const Elf64_Phdr* segments = elf_part(image, header->e_phoff, header->e_phnum, sizeof *segments);
    for (size_t i = 0; segments != NULL && i < header->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD || file_offset < segments[i].p_offset ||
            file_offset - segments[i].p_offset >= segments[i].p_filesz)
            continue;
        *address = file_offset - segments[i].p_offset + segments[i].p_vaddr;
        return true;
    }
    return false;
}

const unsigned char* elf_section(const struct elf_image* image, const char* name, size_t* bytes) {
    const Elf64_Ehdr* header = image->header;
    if (image->sections == NULL || header->e_shstrndx >= header->e_shnum) return NULL;
    const Elf64_Shdr* strings = &image->sections[header->e_shstrndx];
    const char* text = elf_part(image, strings->sh_offset, strings->sh_size, 1);
    size_t length = strlen(name) + 1;
    for (size_t i = 0; text != NULL && i < header->e_shnum; i++) {
        const Elf64_Shdr* section = &image->sections[i];
        if (section->sh_name > strings->sh_size || strings->sh_size - section->sh_name < length ||
            memcmp(text + section->sh_name, name, length) != 0)
            continue;
        *bytes = section->sh_size;
        if (section->sh_type == SHT_NOBITS || (section->sh_flags & SHF_COMPRESSED) != 0) return NULL;
        return elf_part(image, section->sh_offset, section->sh_size, 1);
    }
    return NULL;
}

bool elf_exports(const struct elf_image* image, const char* name) {
    size_t symbol_bytes, text_bytes, length = strlen(name) + 1;
    const unsigned char* symbols = elf_section(image, ".dynsym", &symbol_bytes);
    const unsigned char* text = elf_section(image, ".dynstr", &text_bytes);
    if (symbols == NULL || text == NULL) return false;
    for (size_t at = 0; symbol_bytes - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, symbols + at, sizeof symbol);
        if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < text_bytes && text_bytes - symbol.st_name >= length &&
            memcmp(text + symbol.st_name, name, length) == 0)
            return true;
    }
    return false;
}

bool elf_file_lacks(const char* path, const char* name) {
    struct elf_image image;
    if (!elf_open(&image, path)) return false;
    bool exports = elf_exports(&image, name);
    elf_close(&image);
    return !exports;
}
