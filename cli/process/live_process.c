#include "process/live_process.h"

#include "base/beside.h"
#include "process/proc_status.h"
#include "process/procmaps.h"

#include <dirent.h>
#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADERS_MOST = 64, NOTES_MOST = 4096 };

// --- the note of a file, in memory

static size_t padded(size_t bytes) {
    return (bytes + 3) & ~(size_t)3;
}

// The address of hak_live, from notes that lie at `at`; 0: none of them is the library's.
static uint64_t in_notes(const unsigned char* notes, size_t bytes, uint64_t at) {
    Elf64_Nhdr note;
    for (size_t i = 0; i + sizeof note <= bytes;) {
        memcpy(&note, notes + i, sizeof note);
        size_t name = i + sizeof note, text = name + padded(note.n_namesz);
        if (note.n_namesz > NOTES_MOST || note.n_descsz > NOTES_MOST || text + note.n_descsz > bytes) return 0;
        int64_t distance;
        if (note.n_namesz == sizeof HAK_LIVE_NOTE && memcmp(notes + name, HAK_LIVE_NOTE, sizeof HAK_LIVE_NOTE) == 0 &&
            note.n_descsz == sizeof distance) {
            memcpy(&distance, notes + text, sizeof distance);
            return at + text + (uint64_t)distance;
        }
        i = text + padded(note.n_descsz);
    }
    return 0;
}

static uint64_t in_segment(const struct process_memory* memory, const Elf64_Phdr* header, uint64_t bias) {
    unsigned char notes[NOTES_MOST];
    uint64_t at = bias + header->p_vaddr;
    size_t bytes = header->p_memsz < sizeof notes ? header->p_memsz : sizeof notes;
    return process_memory_read(memory, at, notes, bytes) ? in_notes(notes, bytes, at) : 0;
}

// `start`: where the first bytes of a file are mapped.
static uint64_t in_file(const struct process_memory* memory, uint64_t start) {
    Elf64_Ehdr file;
    Elf64_Phdr headers[HEADERS_MOST];
    if (!process_memory_read(memory, start, &file, sizeof file) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
        file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_phentsize != sizeof headers[0] || file.e_phnum > HEADERS_MOST ||
        !process_memory_read(memory, start + file.e_phoff, headers, file.e_phnum * sizeof headers[0]))
        return 0;
    uint64_t lowest = UINT64_MAX, found = 0;
    for (unsigned i = 0; i < file.e_phnum; i++)
        if (headers[i].p_type == PT_LOAD && headers[i].p_vaddr < lowest) lowest = headers[i].p_vaddr;
    uint64_t bias = start - (lowest & ~(uint64_t)(PAGE_SIZE_BYTES - 1));
    for (unsigned i = 0; i < file.e_phnum && found == 0; i++)
        if (headers[i].p_type == PT_NOTE) found = in_segment(memory, &headers[i], bias);
    return found;
}

// --- the process

static bool has_heap(const struct live_process* process) {
    HakHeap heap;
    return process_memory_read(&process->memory, (uint64_t)(uintptr_t)process->live.heap, &heap, sizeof heap) &&
           heap.base != 0;
}

// A process may have several, such as a program that is linked to the library and runs under it: the one in use counts.
static enum live_state look(struct live_process* process, const struct procmaps* maps) {
    enum live_state state = LIVE_WITHOUT;
    for (size_t i = 0; i < maps->count; i++) {
        const struct mapping* mapping = &maps->mappings[i];
        if (mapping->offset != 0 || mapping->path[0] != '/' || mapping->permissions[0] != 'r') continue;
        HakLive live;
        uint64_t at = in_file(&process->memory, mapping->start);
        if (at == 0 || !process_memory_read(&process->memory, at, &live, sizeof live)) continue;
        if (!census_understands(&live)) {
            if (state == LIVE_WITHOUT) state = LIVE_OTHER;
            continue;
        }
        process->live = live;
        process->address = at;
        state = LIVE_OPEN;
        if (has_heap(process)) break;
    }
    return state;
}

static bool read_there(const CensusSource* source, uint64_t at, void* out, size_t bytes) {
    return process_memory_read(&((const struct live_process*)source)->memory, at, out, bytes);
}

static bool can_read(const struct live_process* process, const struct procmaps* maps) {
    char byte;
    for (size_t i = 0; i < maps->count; i++)
        if (maps->mappings[i].permissions[0] == 'r' && maps->mappings[i].path[0] == '/')
            return process_memory_read(&process->memory, maps->mappings[i].start, &byte, 1);
    return false;
}

enum live_state live_process_open(struct live_process* process, pid_t pid) {
    struct procmaps maps;
    *process = (struct live_process){.source = {.process = (uint32_t)pid, .read = read_there}};
    process_memory_open(&process->memory, pid);
    enum live_state state = LIVE_REFUSED;
    // One that has ended, of which its parent does not know yet, has no memory.
    if (proc_status(pid, "VmSize") < 0)
        state = LIVE_GONE;
    else if (procmaps_read(&maps, pid)) {
        if (can_read(process, &maps)) state = look(process, &maps);
        procmaps_free(&maps);
    }
    if (state != LIVE_OPEN) live_process_close(process);
    return state;
}

void live_process_close(struct live_process* process) {
    process_memory_close(&process->memory);
}

static CensusRoom room;

bool live_process_census(const struct live_process* process, Census* out) {
    HakLive now;
    bool there = process_memory_read(&process->memory, process->address, &now, sizeof now) && census_understands(&now);
    if (there) census_take(&process->source, &now, &room, out);
    return there;
}

// --- all processes

static bool is_own(const char* name) {
    char path[64];
    struct stat seen;
    snprintf(path, sizeof path, "/proc/%.20s", name);
    return stat(path, &seen) == 0 && (geteuid() == 0 || seen.st_uid == geteuid());
}

static int by_number(const void* a, const void* b) {
    return *(const pid_t*)a < *(const pid_t*)b ? -1 : *(const pid_t*)a > *(const pid_t*)b;
}

size_t live_processes(pid_t* out, size_t most) {
    DIR* folder = opendir("/proc");
    size_t count = 0;
    struct live_process process;
    for (struct dirent* entry; folder != NULL && count < most && (entry = readdir(folder)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !is_own(entry->d_name)) continue;
        if (live_process_open(&process, pid) != LIVE_OPEN) continue;
        if (has_heap(&process)) out[count++] = pid;
        live_process_close(&process);
    }
    if (folder != NULL) closedir(folder);
    qsort(out, count, sizeof out[0], by_number);
    return count;
}

void live_problem(enum live_state state, pid_t pid, char* out, size_t size) {
    static const char* const words[] = {
        [LIVE_OPEN] = "can be read",
        [LIVE_GONE] = "does not exist, or has ended",
        [LIVE_REFUSED] = "may not be read: it is another user's, or the system forbids it; see docs/LIVE.md (ptrace)",
        [LIVE_WITHOUT] = "does not have libhakmem: start it with LD_PRELOAD=",
        [LIVE_OTHER] = "has a libhakmem of another version: use the hakstress that came with it",
    };
    char library[PATH_MAX] = "";
    if (state == LIVE_WITHOUT && !library_find_beside(LIBHAKMEM, library, sizeof library))
        snprintf(library, sizeof library, LIBHAKMEM);
    snprintf(out, size, "process %d %s%s", (int)pid, words[state], library);
}
