#include "binary/build_id.h"

#include "binary/elf_file.h"

#include <elfutils/libdwelf.h>
#include <stdio.h>

bool build_id_of_file(const char* path, char* out, size_t size) {
    struct elf_file file;
    const void* bits = NULL;
    out[0] = '\0';
    if (!elf_file_open(&file, path)) return false;
    ssize_t bytes = dwelf_elf_gnu_build_id(file.elf, &bits);
    for (size_t i = 0; bytes > 0 && i < (size_t)bytes && 2 * i + 3 <= size; i++)
        snprintf(out + 2 * i, size - 2 * i, "%02x", ((const unsigned char*)bits)[i]);
    elf_file_close(&file);
    return bytes > 0;
}

bool build_id(char* out, size_t size) {
    return build_id_of_file("/proc/self/exe", out, size);
}
