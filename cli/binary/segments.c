#include "binary/segments.h"

#include "binary/elf_file.h"

static void add(struct segments* segments, const GElf_Phdr* header) {
    uint64_t end = header->p_vaddr + header->p_memsz;
    if (segments->count == SEGMENTS_MAX) return;
    if (segments->count == 0 || header->p_vaddr < segments->first) segments->first = header->p_vaddr;
    if (segments->end < end) segments->end = end;
    segments->segment[segments->count++] = (struct segment){header->p_offset, header->p_filesz, header->p_vaddr};
}

bool segments_read(struct segments* segments, const char* path) {
    struct elf_file file;
    size_t count = 0;
    *segments = (struct segments){.count = 0};
    if (!elf_file_open(&file, path)) return false;
    if (elf_getphdrnum(file.elf, &count) != 0) count = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(file.elf, (int)i, &header) != NULL && header.p_type == PT_LOAD) add(segments, &header);
    }
    elf_file_close(&file);
    return segments->count > 0;
}

bool segments_address(const struct segments* segments, uint64_t offset, uint64_t* address) {
    for (size_t i = 0; i < segments->count; i++) {
        const struct segment* segment = &segments->segment[i];
        if (offset < segment->offset || offset - segment->offset >= segment->bytes) continue;
        *address = offset - segment->offset + segment->address;
        return true;
    }
    return false;
}
