#include "process/process_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

void process_memory_open(struct process_memory* memory, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    *memory = (struct process_memory){.pid = pid, .file = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1};
}

bool process_memory_read(const struct process_memory* memory, uint64_t address, void* out, size_t bytes) {
    if (memory->read != NULL) return bytes != 0 && memory->read(memory->source, address, out, bytes);
    if (memory->pid <= 0 || bytes == 0) return false;
    struct iovec to = {.iov_base = out, .iov_len = bytes};
    struct iovec from = {.iov_base = (void*)(uintptr_t)address, .iov_len = bytes};
    if (process_vm_readv(memory->pid, &to, 1, &from, 1, 0) == (ssize_t)bytes) return true;
    return memory->file >= 0 && pread(memory->file, out, bytes, (off_t)address) == (ssize_t)bytes;
}

bool process_memory_read_parts(const struct process_memory* memory, const struct memory_part* parts, size_t count,
                               void* out) {
    struct iovec from[MEMORY_PARTS_MAX], to = {.iov_base = out};
    if (memory->pid <= 0 || count > MEMORY_PARTS_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        from[i] = (struct iovec){.iov_base = (void*)(uintptr_t)parts[i].address, .iov_len = parts[i].bytes};
        to.iov_len += parts[i].bytes;
    }
    return to.iov_len == 0 || process_vm_readv(memory->pid, &to, 1, from, count, 0) == (ssize_t)to.iov_len;
}

void process_memory_close(struct process_memory* memory) {
    if (memory->file >= 0) close(memory->file);
    *memory = (struct process_memory){.file = -1};
}
