#include "report/crash_memory.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool read_stack_copy(const CrashRecord* record, uint64_t address, uint64_t* value) {
    if (address < record->stack_address || record->stack_bytes < sizeof *value ||
        address - record->stack_address > record->stack_bytes - sizeof *value)
        return false;
    memcpy(value, record->stack + (address - record->stack_address), sizeof *value);
    return true;
}

static bool read_process(int process, uint64_t address, uint64_t* value) {
    return process >= 0 && pread(process, value, sizeof *value, (off_t)address) == (ssize_t)sizeof *value;
}

static bool read_mapped_file(const struct procmaps* maps, uint64_t address, uint64_t* value) {
    const struct mapping* mapping = procmaps_find(maps, address);
    if (mapping == NULL || mapping->path[0] != '/') return false;
    int file = open(mapping->path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool done = pread(file, value, sizeof *value, (off_t)(address - mapping->start + mapping->offset)) ==
                (ssize_t)sizeof *value;
    close(file);
    return done;
}

// The copy first: it is from the moment of the crash.
bool crash_memory_word(const struct crash_memory* memory, uint64_t address, uint64_t* value) {
    return read_stack_copy(memory->record, address, value) || read_process(memory->process, address, value) ||
           read_mapped_file(memory->maps, address, value);
}
