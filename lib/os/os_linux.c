#include "os/os.h"

#include "observe/counters.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void* count(void* result, HakCounter counter) {
    counter_add_shared(counter, 1);
    if (result == MAP_FAILED) counter_add_shared(HAK_C_syscall_failed, 1);
    return result;
}

// *error: errno of a failure.
static void* map_or(void* at, size_t bytes, int prot, int flags, int* error) {
    int saved_errno = errno;
    errno = ENOMEM;
    void* p = os_fault_hit() ? MAP_FAILED : mmap(at, bytes, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *error = errno;
    errno = saved_errno;
    return count(p, HAK_C_syscall_mmap);
}

static void* map(void* at, size_t bytes, int prot, int flags) {
    int error;
    return map_or(at, bytes, prot, flags, &error);
}

static bool advise(void* at, size_t bytes, int advice) {
    int saved_errno = errno;
    int failed = os_fault_hit() ? -1 : madvise(at, bytes, advice);
    errno = saved_errno;
    return count(failed ? MAP_FAILED : at, HAK_C_syscall_madvise) != MAP_FAILED;
}

static void* map_anywhere(size_t bytes, int flags) {
    void* p = map(NULL, bytes, PROT_READ | PROT_WRITE, flags);
    return p == MAP_FAILED ? NULL : p;
}

void* os_map(size_t bytes) {
    return map_anywhere(bytes, 0);
}

void* os_map_resident(size_t bytes) {
    return map_anywhere(bytes, MAP_POPULATE);
}

bool os_map_at_unless(void* at, size_t bytes, bool* occupied) {
    int error;
    void* p = map_or(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE, &error);
    if (p == at) return true;
    // An old kernel takes the address for a hint and gives another one.
    if (occupied) *occupied = p != MAP_FAILED || error == EEXIST;
    if (p != MAP_FAILED) os_unmap(p, bytes);  // counted if it fails; the memory is then address space lost
    return false;
}

bool os_map_at(void* at, size_t bytes) {
    return os_map_at_unless(at, bytes, NULL);
}

bool os_map_over(void* at, size_t bytes) {
    return map(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED) != MAP_FAILED;
}

bool os_unmap(void* at, size_t bytes) {
    int saved_errno = errno;
    int failed = os_fault_hit() ? -1 : munmap(at, bytes);
    errno = saved_errno;
    return count(failed ? MAP_FAILED : at, HAK_C_syscall_munmap) != MAP_FAILED;
}

bool os_purge(void* at, size_t bytes) {
    if (!advise(at, bytes, MADV_DONTNEED)) return false;
    counter_add_shared(HAK_C_purged_bytes, bytes);
    return true;
}

#if HAK_CHECKED
bool os_protect(void* at, size_t bytes, bool accessible) {
    int saved_errno = errno;
    int failed = os_fault_hit() ? -1 : mprotect(at, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
    errno = saved_errno;
    return count(failed ? MAP_FAILED : at, HAK_C_syscall_mprotect) != MAP_FAILED;
}
#endif

bool os_want_huge_pages(void* at, size_t bytes, bool wanted) {
    return advise(at, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

bool os_move(void* from, void* to, size_t bytes) {
    int saved_errno = errno;
    void* p = os_fault_hit() ? MAP_FAILED : mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    errno = saved_errno;
    return count(p, HAK_C_syscall_mremap) != MAP_FAILED;
}

uintptr_t os_find_hole(size_t bytes) {
    void* p = map(NULL, bytes, PROT_NONE, 0);
    if (p == MAP_FAILED) return 0;
    // A failure leaves the hole reserved but unreadable: os_map_at will refuse it, and the caller looks elsewhere.
    return os_unmap(p, bytes) ? (uintptr_t)p : 0;
}

uint64_t os_clock_ms(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t os_clock_ns(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t os_random(void) {
    static _Atomic uint64_t calls;
    uint64_t seed[2] = {(uintptr_t)&calls, 0};
    const void* bytes = (const void*)getauxval(AT_RANDOM);  // 16 random bytes from the kernel, aligned to nothing
    if (bytes != NULL) memcpy(seed, bytes, sizeof seed);
    uint64_t x = (seed[0] ^ (seed[1] << 7)) + (add_relaxed(&calls, 1u) + 1) * 0x9e3779b97f4a7c15u;
    // finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void os_yield(void) {
    sched_yield();
}

void os_sleep_briefly(void) {
    int saved_errno = errno;
    struct timespec while_short = {.tv_nsec = 50000};
    // Not the C library's function, which is a cancellation point. Waking early does no harm.
    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &while_short, NULL);
    errno = saved_errno;
}

uint32_t os_thread_id(void) {
    return (uint32_t)syscall(SYS_gettid);
}
