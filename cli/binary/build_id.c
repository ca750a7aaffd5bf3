#include "binary/build_id.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct wanted {
    char* out;
    size_t size;
    bool found;
};

static void write_hex(struct wanted* wanted, const unsigned char* bytes, size_t count) {
    for (size_t i = 0; i < count && 2 * i + 3 <= wanted->size; i++)
        snprintf(wanted->out + 2 * i, wanted->size - 2 * i, "%02x", bytes[i]);
    wanted->found = true;
}

static size_t padded(size_t size) {
    return (size + 3) & ~(size_t)3;
}

static void read_notes(struct wanted* wanted, const char* at, size_t size) {
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (whole > size) return;
        const char* name = at + sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0)
            write_hex(wanted, (const unsigned char*)name + padded(note.n_namesz), note.n_descsz);
        at += whole;
        size -= whole;
    }
}

// The program itself is the first of the objects.
static int read_object(struct dl_phdr_info* object, size_t size, void* context) {
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr)* segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE)
            read_notes(context, (const char*)(uintptr_t)(object->dlpi_addr + segment->p_vaddr), segment->p_memsz);
    }
    return 1;
}

bool build_id(char* out, size_t size) {
    struct wanted wanted = {.out = out, .size = size};
    out[0] = '\0';
    dl_iterate_phdr(read_object, &wanted);
    return wanted.found;
}

static void read_file(struct wanted* wanted, const char* file, size_t size) {
    ElfW(Ehdr) header;
    if (size < sizeof header) return;
    memcpy(&header, file, sizeof header);
    bool ours = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_phentsize == sizeof(ElfW(Phdr));
    if (!ours || header.e_phoff > size || header.e_phnum > (size - header.e_phoff) / sizeof(ElfW(Phdr))) return;
    for (size_t i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, file + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_NOTE && segment.p_offset <= size && segment.p_filesz <= size - segment.p_offset)
            read_notes(wanted, file + segment.p_offset, segment.p_filesz);
    }
}

bool build_id_of_file(const char* path, char* out, size_t size) {
    struct wanted wanted = {.out = out, .size = size};
    struct stat status;
    out[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    if (fstat(fd, &status) == 0 && status.st_size > 0) {
        void* file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            read_file(&wanted, file, (size_t)status.st_size);
            munmap(file, (size_t)status.st_size);
        }
    }
    close(fd);
    return wanted.found;
}
