#include "child/shared.h"

#include "base/bits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static int temporary_file(const char* directory) {
    char path[256];
    snprintf(path, sizeof path, "%s/hakstress-XXXXXX", directory);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);  // the file lives as long as its descriptors
    return fd;
}

// An anonymous file if the kernel supports it, else an unlinked one.
static int open_memory(void) {
    int fd = memfd_create("hakstress", MFD_CLOEXEC);
    if (fd < 0) fd = temporary_file("/dev/shm");
    if (fd < 0) fd = temporary_file("/tmp");
    return fd;
}

static struct shared* map(int fd, size_t bytes) {
    void* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

struct shared* shared_create(uint32_t ring_records, int* fd) {
    size_t bytes = align_up(sizeof(struct shared), PAGE) + hak_ring_bytes(ring_records);
    *fd = open_memory();
    if (*fd < 0) return NULL;
    struct shared* shared = ftruncate(*fd, (off_t)bytes) == 0 ? map(*fd, bytes) : NULL;
    if (shared == NULL) {
        int error = errno;
        close(*fd);
        errno = error;
        return NULL;
    }
    shared->bytes = bytes;
    shared->plan.ring_records = ring_records;
    return shared;
}

struct shared* shared_open(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) return NULL;
    if ((size_t)status.st_size < sizeof(struct shared)) {
        errno = EINVAL;
        return NULL;
    }
    return map(fd, (size_t)status.st_size);
}

HakRingFile* shared_ring(struct shared* shared) {
    return (HakRingFile*)(void*)((char*)shared + align_up(sizeof *shared, PAGE));
}

void shared_close(struct shared* shared) {
    munmap(shared, shared->bytes);
}
