#include "observe/ring_file.h"

#include "base/bits.h"
#include "base/text.h"
#include "config/options.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

// A file larger than this limit would be a SIGXFSZ.
static bool is_allowed(size_t bytes) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes <= limit.rlim_cur;
}

static void* map_new(const char* path, size_t bytes) {
    // One that is there is of the program that this process was before an exec; a reader may still look at it.
    if (unlink(path) != 0 && errno != ENOENT) return NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return NULL;
    void* memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0) memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) return memory;
    unlink(path);  // empty: if this fails, a reader sees that nothing is in it
    return NULL;
}

void* ring_file_map(size_t bytes) {
    char path[2 * HAK_OPTION_TEXT_MAX];
    if (*hak_options.ring_file == '\0') return NULL;
    if (text_expand(path, sizeof path, hak_options.ring_file, (int)getpid()) >= sizeof path) return NULL;
    int saved_errno = errno;
    void* memory = is_allowed(bytes) ? map_new(path, bytes) : NULL;
    errno = saved_errno;
    return memory;
}

bool ring_file_reserve(const void* from, size_t bytes) {
    uintptr_t first = align_down((uintptr_t)from, OS_PAGE), end = align_up((uintptr_t)from + bytes, OS_PAGE);
    int saved_errno = errno;
    // Kernels before 5.14 do not know the advice.
    bool reserved = madvise((void*)first, end - first, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
    errno = saved_errno;
    return reserved;
}
