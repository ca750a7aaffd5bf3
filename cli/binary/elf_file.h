// An ELF file, open to be read by elfutils' libelf.
// Thread-safety: none. Errors: elf_file_open() returns false if it is not an ELF file.
#ifndef HAKSTRESS_ELF_FILE_H
#define HAKSTRESS_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>

struct elf_file {
    int descriptor;
    Elf* elf;
};

bool elf_file_open(struct elf_file* file, const char* path);
void elf_file_close(struct elf_file* file);

#endif
