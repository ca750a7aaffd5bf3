#include "sample/module.h"

#include "base/syscall.h"
#include "base/text.h"
#include "os/os.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>

static char program_path[512] = "?";

void module_begin(void) {
    long length =
        sys_call4(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)program_path, sizeof program_path - 1);
    if (sys_failed(length)) length = 0;  // no /proc here: the path stays unknown
    program_path[length] = '\0';
    if (length == 0) text_format(program_path, sizeof program_path, "?");
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
#pragma weak _dl_find_object

// Notes are aligned to four bytes, in segments aligned to eight to eight.
static void find_id(CodeModule* out, const char* notes, size_t bytes, size_t alignment) {
    if (alignment != 8) alignment = 4;
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= bytes;) {
        const ElfW(Nhdr)* note = (const void*)(notes + at);
        size_t name = at + sizeof *note, description = name + ((note->n_namesz + alignment - 1) & ~(alignment - 1));
        size_t end = description + ((note->n_descsz + alignment - 1) & ~(alignment - 1));
        if (end > bytes || end <= at) return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
            memcmp(notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
            out->id = (const unsigned char*)notes + description;
            out->id_length = note->n_descsz < BUILD_ID_BYTES ? note->n_descsz : BUILD_ID_BYTES;
            return;
        }
        at = end;
    }
}

// The file's head is mapped with its first segment, as all linkers lay it out; where it is not, there is no build id.
static void read_head(CodeModule* out, const ElfW(Ehdr) * head, uintptr_t bias, const void* end) {
    if (!os_can_read((const void*)head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return;
    const ElfW(Phdr)* segment = (const void*)((const char*)head + head->e_phoff);
    if (head->e_phoff % sizeof(void*) != 0 || (const char*)(segment + head->e_phnum) > (const char*)end) return;
    for (unsigned i = 0; i < head->e_phnum; i++, segment++) {
        const char* notes = (const char*)(bias + segment->p_vaddr);
        if (segment->p_type == PT_NOTE && out->id_length == 0 && notes + segment->p_memsz <= (const char*)end)
            find_id(out, notes, segment->p_memsz, segment->p_align);
    }
}

CodeModule module_of(uintptr_t pc) {
    CodeModule out = {.path = "?", .offset = pc};
    struct dl_find_object found;
    if (_dl_find_object == NULL || _dl_find_object((void*)pc, &found) != 0) return out;
    const struct link_map* map = found.dlfo_link_map;
    out.is_program = map->l_name == NULL || *map->l_name == '\0';
    out.path = out.is_program ? program_path : map->l_name;
    out.start = found.dlfo_map_start;
    out.offset = pc - map->l_addr;
    read_head(&out, found.dlfo_map_start, map->l_addr, found.dlfo_map_end);
    return out;
}
#else
CodeModule module_of(uintptr_t pc) {
    return (CodeModule){.path = "?", .offset = pc};
}
#endif

bool module_is_own(uintptr_t pc) {
    CodeModule own = module_of((uintptr_t)module_begin);
    return own.start != NULL && !own.is_program && module_of(pc).start == own.start;
}
