#include "binary/elf_file.h"

#include <fcntl.h>
#include <unistd.h>

bool elf_file_open(struct elf_file* file, const char* path) {
    elf_version(EV_CURRENT);
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // opening a pipe would block
    if (file->descriptor < 0) return false;
    file->elf = elf_begin(file->descriptor, ELF_C_READ_MMAP, NULL);
    if (file->elf != NULL && elf_kind(file->elf) == ELF_K_ELF) return true;
    elf_file_close(file);
    return false;
}

void elf_file_close(struct elf_file* file) {
    if (file->elf != NULL) elf_end(file->elf);
    close(file->descriptor);
}
