#include "stack/code.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>

#ifdef DLFO_STRUCT_HAS_EH_DBASE  // glibc 2.35 and newer have the function

#pragma weak _dl_find_object

// The segment of the file that the tables are in; the rest of the mapping may have holes. The file's header is at the
// start of the first segment, as linkers write it.
static bool find_segment(const struct dl_find_object* object, CfiTables* tables) {
    const char* start = object->dlfo_map_start;
    size_t bytes = (size_t)((const char*)object->dlfo_map_end - start);
    uintptr_t wanted = (uintptr_t)object->dlfo_eh_frame;
    Elf64_Ehdr header;
    if (bytes < sizeof header) return false;
    memcpy(&header, start, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(Elf64_Phdr)) return false;
    if (header.e_phoff > bytes || header.e_phnum > (bytes - header.e_phoff) / sizeof(Elf64_Phdr)) return false;
    uintptr_t base = (uintptr_t)start;
    bool first = true;
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, start + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD) continue;
        if (first) base = (uintptr_t)start - (segment.p_vaddr - segment.p_offset);
        first = false;
        uintptr_t from = base + segment.p_vaddr;
        if (wanted - from >= segment.p_filesz || !(segment.p_flags & PF_R)) continue;
        if (from < (uintptr_t)start || segment.p_filesz > bytes - (from - (uintptr_t)start)) return false;
        *tables = (CfiTables){(const uint8_t*)wanted, (const uint8_t*)from, (const uint8_t*)from + segment.p_filesz};
        return true;
    }
    return false;
}

bool code_tables(uintptr_t pc, CfiTables* tables) {
    struct dl_find_object object;
    if (_dl_find_object == NULL || _dl_find_object((void*)pc, &object) != 0) return false;
    return object.dlfo_eh_frame != NULL && find_segment(&object, tables);
}

#else

bool code_tables(uintptr_t pc, CfiTables* tables) {
    (void)pc, (void)tables;
    return false;
}

#endif
