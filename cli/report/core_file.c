#include "report/core_file.h"

#include "report/session_frames.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

enum { NOTE_PAGE_WORDS = 2 };

// Segments

static bool read_segments(struct core_file* core) {
    size_t count = 0;
    GElf_Phdr header;
    if (elf_getphdrnum(core->elf, &count) != 0) return false;
    core->segments = calloc(count + 1, sizeof *core->segments);
    core->maps.mappings = calloc(count + 1, sizeof *core->maps.mappings);
    if (core->segments == NULL || core->maps.mappings == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(core->elf, (int)i, &header) == NULL || header.p_type != PT_LOAD) continue;
        core->segments[core->segment_count++] = (struct core_segment){header.p_vaddr, header.p_filesz, header.p_offset};
        struct mapping* mapping = &core->maps.mappings[core->maps.count++];
        *mapping = (struct mapping){.start = header.p_vaddr, .end = header.p_vaddr + header.p_memsz};
        snprintf(mapping->permissions, sizeof mapping->permissions, "%c%c%cp", header.p_flags & PF_R ? 'r' : '-',
                 header.p_flags & PF_W ? 'w' : '-', header.p_flags & PF_X ? 'x' : '-');
    }
    return core->segment_count > 0;
}

static bool read_from_core(const struct core_file* core, uint64_t address, void* out, size_t bytes) {
    for (size_t i = 0; i < core->segment_count; i++) {
        const struct core_segment* segment = &core->segments[i];
        if (address < segment->start || address - segment->start >= segment->bytes) continue;
        size_t there = segment->bytes - (address - segment->start), part = bytes < there ? bytes : there;
        if (pread(core->file, out, part, (off_t)(segment->offset + (address - segment->start))) != (ssize_t)part)
            return false;
        return part == bytes || read_from_core(core, address + part, (char*)out + part, bytes - part);
    }
    return false;
}

static bool read_from_mapped_file(const struct core_file* core, uint64_t address, void* out, size_t bytes) {
    const struct mapping* mapping = procmaps_find(&core->maps, address);
    if (mapping == NULL || mapping->path[0] != '/' || mapping->permissions[1] == 'w') return false;
    int file = open(mapping->path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t got = pread(file, out, bytes, (off_t)(address - mapping->start + mapping->offset));
    close(file);
    return got == (ssize_t)bytes;
}

static bool read_memory(const void* source, uint64_t address, void* out, size_t bytes) {
    return read_from_core(source, address, out, bytes) || read_from_mapped_file(source, address, out, bytes);
}

void core_file_memory(const struct core_file* core, struct process_memory* memory) {
    *memory = (struct process_memory){.file = -1, .read = read_memory, .source = core};
}

// Notes

static void add_thread(struct core_file* core, const void* data, size_t bytes) {
    struct elf_prstatus status;
    if (bytes < sizeof status) return;
    memcpy(&status, data, sizeof status);
    struct core_thread* more = realloc(core->threads, (core->thread_count + 1) * sizeof *more);
    if (more == NULL) return;
    core->threads = more;
    core->threads[core->thread_count].thread = status.pr_pid;
    memcpy(&core->threads[core->thread_count].registers, &status.pr_reg, sizeof core->threads->registers);
    if (core->thread_count++ == 0) core->number = status.pr_cursig;
}

// COUNT PAGE_SIZE, then START END PAGE for each file, then their names.
static void add_files(struct core_file* core, const void* data, size_t bytes) {
    const uint64_t* words = data;
    if (bytes < NOTE_PAGE_WORDS * sizeof *words) return;
    uint64_t count = words[0], page = words[1];
    if (count > bytes / (3 * sizeof *words)) return;
    const char* name = (const char*)(words + NOTE_PAGE_WORDS + 3 * count);
    const char* end = (const char*)data + bytes;
    for (uint64_t i = 0; i < count && name < end && memchr(name, '\0', (size_t)(end - name)) != NULL; i++) {
        const uint64_t* entry = words + NOTE_PAGE_WORDS + 3 * i;
        for (size_t j = 0; j < core->maps.count; j++) {
            struct mapping* mapping = &core->maps.mappings[j];
            if (mapping->start < entry[0] || mapping->start >= entry[1]) continue;
            mapping->offset = entry[2] * page + (mapping->start - entry[0]);
            snprintf(mapping->path, sizeof mapping->path, "%s", name);
        }
        name += strlen(name) + 1;
    }
}

static void add_note(struct core_file* core, const GElf_Nhdr* note, const char* data) {
    struct elf_prpsinfo info;
    switch (note->n_type) {
    case NT_PRSTATUS: add_thread(core, data, note->n_descsz); return;
    case NT_FILE: add_files(core, data, note->n_descsz); return;
    case NT_SIGINFO:
        if (note->n_descsz >= sizeof core->signal) memcpy(&core->signal, data, sizeof core->signal);
        return;
    case NT_PRPSINFO:
        if (note->n_descsz < sizeof info) return;
        memcpy(&info, data, sizeof info);
        core->process = info.pr_pid;
        snprintf(core->command, sizeof core->command, "%.*s", (int)sizeof info.pr_psargs, info.pr_psargs);
        return;
    default: return;
    }
}

static void read_notes(struct core_file* core) {
    size_t count = 0;
    GElf_Phdr header;
    elf_getphdrnum(core->elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(core->elf, (int)i, &header) == NULL || header.p_type != PT_NOTE) continue;
        Elf_Data* data = elf_getdata_rawchunk(core->elf, (int64_t)header.p_offset, header.p_filesz, ELF_T_NHDR);
        GElf_Nhdr note;
        size_t name, at = 0, content;
        while (data != NULL && (at = gelf_getnote(data, at, &note, &name, &content)) > 0)
            add_note(core, &note, (const char*)data->d_buf + content);
    }
}

// The first file of the core is the program.
static void replace_program(struct core_file* core, const char* program) {
    char named[sizeof core->maps.mappings->path] = "";
    for (size_t i = 0; i < core->maps.count; i++) {
        struct mapping* mapping = &core->maps.mappings[i];
        if (named[0] == '\0') snprintf(named, sizeof named, "%s", mapping->path);
        if (named[0] != '\0' && strcmp(mapping->path, named) == 0)
            snprintf(mapping->path, sizeof mapping->path, "%s", program);
    }
}

static bool open_elf(struct core_file* core, const char* path) {
    GElf_Ehdr header;
    elf_version(EV_CURRENT);
    core->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    core->elf = core->file >= 0 ? elf_begin(core->file, ELF_C_READ_MMAP, NULL) : NULL;
    return core->elf != NULL && elf_kind(core->elf) == ELF_K_ELF && gelf_getehdr(core->elf, &header) != NULL &&
           header.e_type == ET_CORE;
}

bool core_file_is(const char* path) {
    struct core_file core = {.file = -1};
    bool is = open_elf(&core, path);
    core_file_close(&core);
    return is;
}

bool core_file_open(struct core_file* core, const char* path, const char* program, const char** problem) {
    *core = (struct core_file){.file = -1};
    if (!open_elf(core, path))
        *problem = "it is no core dump";
    else if (!read_segments(core))
        *problem = "it has no memory, or there is no memory to read it";
    else {
        read_notes(core);
        if (program != NULL) replace_program(core, program);
        if (core->thread_count > 0) return true;
        *problem = "it has no threads";
    }
    core_file_close(core);
    return false;
}

void core_file_close(struct core_file* core) {
    if (core->elf != NULL) elf_end(core->elf);
    if (core->file >= 0) close(core->file);
    free(core->segments);
    free(core->threads);
    procmaps_free(&core->maps);
    *core = (struct core_file){.file = -1};
}

// Stacks

json_t* core_file_stack(const struct core_file* core, const char* program, pid_t thread, const char** problem) {
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = session_finds_no_debug_file};
    json_t* frames = NULL;
    Dwfl* session = dwfl_begin(&callbacks);
    if (session != NULL && dwfl_core_file_report(session, core->elf, program) >= 0 &&
        dwfl_report_end(session, NULL, NULL) == 0 && dwfl_core_file_attach(session, core->elf) >= 0)
        frames = session_frames(session, &core->maps, thread, problem);
    else
        *problem = dwfl_errmsg(-1);
    if (session != NULL) dwfl_end(session);
    return frames != NULL ? frames : json_array();
}
