// An ELF file, mapped to be read. A file may lie: nothing is followed out of it.
// Thread-safety: none needed. Errors: false or NULL, it is not there.
#ifndef HAKSTRESS_ELF_IMAGE_H
#define HAKSTRESS_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
    const unsigned char* bytes;
    size_t size;
    const Elf64_Ehdr* header;
    const Elf64_Shdr* sections;  // NULL: none; header->e_shnum of them
};

bool elf_open(struct elf_image* image, const char* path);
void elf_close(struct elf_image* image);

// `count` things of `size` bytes at `offset`.
const void* elf_part(const struct elf_image* image, uint64_t offset, uint64_t count, size_t size);
// The address that byte `file_offset` is linked for.
bool elf_address_of(const struct elf_image* image, uint64_t file_offset, uint64_t* address);
// The bytes of a section that is not compressed.
const unsigned char* elf_section(const struct elf_image* image, const char* name, size_t* bytes);
// Whether other files of a process can get this function or variable from it.
bool elf_exports(const struct elf_image* image, const char* name);
// An ELF file of which that is not so; false too where it is no ELF file.
bool elf_file_lacks(const char* path, const char* name);

#endif
