// Reads the memory of a process that waits in its crash handler or is stopped.
// Thread-safety: none needed. Errors: false if nothing can be read; nothing is changed then.
#ifndef HAKSTRESS_PROCESS_MEMORY_H
#define HAKSTRESS_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_memory {
    pid_t pid;  // 0: the process is gone
    int file;   // /proc/PID/mem, in case process_vm_readv is refused; -1: none
    // Of a core dump: reads instead of these. NULL: a process.
    bool (*read)(const void* source, uint64_t address, void* out, size_t bytes);
    const void* source;
};

void process_memory_open(struct process_memory* memory, pid_t pid);
bool process_memory_read(const struct process_memory* memory, uint64_t address, void* out, size_t bytes);
struct memory_part {
    uint64_t address;
    size_t bytes;
};

enum { MEMORY_PARTS_MAX = 64 };

// Reads several places, one behind the other, at once. false: one of them cannot be read, or there are too many.
bool process_memory_read_parts(const struct process_memory* memory, const struct memory_part* parts, size_t count,
                               void* out);
void process_memory_close(struct process_memory* memory);

#endif
