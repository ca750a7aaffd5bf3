#include "os/shared_file.h"

#include "base/bits.h"
#include "base/syscall.h"
#include "base/text.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static bool failed(long result) {
    return sys_failed(result);
}

// Exceeding this limit would raise SIGXFSZ.
static bool is_allowed(size_t bytes) {
    struct rlimit limit = {0};
    return !failed(sys_call4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit)) && bytes <= limit.rlim_cur;
}

static bool remove_file(const char* path) {
    long result = sys_call3(SYS_unlinkat, AT_FDCWD, (long)path, 0);
    return result == 0 || result == -ENOENT;
}

static void* map_new(const char* path, size_t bytes) {
    // An existing file is from before an exec of this process. A reader may still use it.
    if (!remove_file(path)) return NULL;
    long fd = sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (failed(fd)) return NULL;
    long at = sys_call3(SYS_ftruncate, fd, (long)bytes, 0);
    if (!failed(at)) at = sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sys_call3(SYS_close, fd, 0, 0);
    if (!failed(at)) return (void*)at;
    remove_file(path);  // the file is empty: if this fails, a reader sees that
    return NULL;
}

void* shared_file_map(const char* name, size_t bytes) {
    enum { PATH_MOST = 512 };
    char path[PATH_MOST];
    if (*name == '\0' || text_expand(path, sizeof path, name, (int)os_process_id()) >= sizeof path) return NULL;
    return is_allowed(bytes) ? map_new(path, bytes) : NULL;
}

bool shared_file_reserve(const void* from, size_t bytes) {
    uintptr_t page = os_page_bytes();
    uintptr_t first = align_down((uintptr_t)from, page), end = align_up((uintptr_t)from + bytes, page);
    long result = sys_call3(SYS_madvise, (long)first, (long)(end - first), MADV_POPULATE_WRITE);
    return !failed(result) || result == -EINVAL;  // kernels before 5.14 do not know the advice
}
