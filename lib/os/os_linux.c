#include "os/os.h"

#include "base/bits.h"
#include "base/random.h"
#include "base/syscall.h"
#include "count/counters.h"
#include "os/vdso.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef CLONE_THREAD
#define CLONE_THREAD 0x10000
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static bool count(long result, HakCounter counter) {
    bool failed = sys_failed(result);
    counter_add_shared(counter, 1);
    if (failed) counter_add_shared(HAK_C_syscall_failed, 1);
    return !failed;
}

static _Atomic size_t page_bytes = OS_PAGE;  // set by os_start

size_t os_page_bytes(void) {
    return load_relaxed(&page_bytes);
}

// Why the system would refuse a call for memory at `at`; 0: it need not. Tests make calls fail. The checked build also
// refuses an address within a page where the system does not: an emulator with larger pages than its host.
static long refusal(const void* at) {
    if (os_fault_hit()) return -ENOMEM;
    return HAK_CHECKED && (uintptr_t)at % os_page_bytes() != 0 ? -EINVAL : 0;
}

// Whole pages, as the system takes them.
static long whole(size_t bytes) {
    return (long)(HAK_CHECKED ? align_up(bytes, os_page_bytes()) : bytes);
}

static long map(const void* at, size_t bytes, int prot, int flags) {
    long result = refusal(at);
    if (result == 0)
        result = sys_call6(SYS_mmap, (long)at, whole(bytes), prot, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    count(result, HAK_C_syscall_mmap);
    return result;
}

static long advice_result(void* at, size_t bytes, int advice) {
    long result = refusal(at);
    if (result == 0) result = sys_call3(SYS_madvise, (long)at, whole(bytes), advice);
    count(result, HAK_C_syscall_madvise);
    return result;
}

static bool advise(void* at, size_t bytes, int advice) {
    return !sys_failed(advice_result(at, bytes, advice));
}

static void* map_anywhere(size_t bytes, int flags) {
    long at = map(NULL, bytes, PROT_READ | PROT_WRITE, flags);
    return sys_failed(at) ? NULL : (void*)at;
}

void* os_map(size_t bytes) {
    return map_anywhere(bytes, 0);
}

void* os_map_resident(size_t bytes) {
    return map_anywhere(bytes, MAP_POPULATE);
}

// The mapping starts without access: such memory does not become resident.
void* os_map_sparse(size_t bytes) {
    void* at = os_map_closed(bytes);
    bool locked;
    return at && os_open_sparsely(at, bytes, &locked) ? at : NULL;
}

bool os_leave_out_of_dumps(void* at, size_t bytes) {
    return advise(at, bytes, MADV_DONTDUMP);
}

static bool map_at_unless(void* at, size_t bytes, int prot, int flags, bool* occupied) {
    long result = map(at, bytes, prot, flags | MAP_FIXED_NOREPLACE);
    if (result == (long)at) return true;
    // Before Linux 4.17 the address is only a hint, and the kernel may choose another one.
    if (occupied) *occupied = !sys_failed(result) || result == -EEXIST;
    if (!sys_failed(result)) os_unmap((void*)result, bytes);  // counted if it fails; the address space is lost then
    return false;
}

bool os_map_at_unless(void* at, size_t bytes, bool* occupied) {
    return map_at_unless(at, bytes, PROT_READ | PROT_WRITE, 0, occupied);
}

bool os_map_closed_unless(void* at, size_t bytes, bool* occupied) {
    return map_at_unless(at, bytes, PROT_NONE, MAP_NORESERVE, occupied);
}

void* os_map_closed(size_t bytes) {
    long at = map(NULL, bytes, PROT_NONE, MAP_NORESERVE);
    return sys_failed(at) ? NULL : (void*)at;
}

bool os_map_at(void* at, size_t bytes) {
    return os_map_at_unless(at, bytes, NULL);
}

bool os_map_over(void* at, size_t bytes) {
    return !sys_failed(map(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED));
}

bool os_unmap(void* at, size_t bytes) {
    long result = refusal(at);
    if (result == 0) result = sys_call3(SYS_munmap, (long)at, whole(bytes), 0);
    return count(result, HAK_C_syscall_munmap);
}

// Emulators ignore advice that they do not know, and say that all is well. So it is tried before it is relied on.
static bool does_purge(int advice) {
    enum { WAS_WRITTEN = 1 };
    bool does = false;
    const size_t bytes = os_page_bytes();
    long at = sys_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sys_failed(at)) return false;
    volatile char* page = (volatile char*)at;
    *page = WAS_WRITTEN;
    does = !sys_failed(sys_call3(SYS_madvise, at, (long)bytes, advice)) && *page != WAS_WRITTEN;
    sys_call3(SYS_munmap, at, (long)bytes, 0);  // if it fails, a page of address space is lost
    return does;
}

// Bit n: the advice n of the two below has been tried, or it is of no use.
static _Atomic uint32_t tried, useless;

static bool can_purge(int advice) {
    const uint32_t bit = UINT32_C(1) << (advice == MADV_DONTNEED_LOCKED);
    if (HAK_LIKELY(load_relaxed(&tried) & bit)) return !(load_relaxed(&useless) & bit);
    if (!does_purge(advice)) or_relaxed(&useless, bit);
    or_relaxed(&tried, bit);
    return !(load_relaxed(&useless) & bit);
}

static bool purge(void* at, size_t bytes, int advice) {
    if (!can_purge(advice) || !advise(at, bytes, advice)) return false;
    counter_add_shared(HAK_C_purged_bytes, bytes);
    return true;
}

bool os_purge(void* at, size_t bytes) {
    return purge(at, bytes, MADV_DONTNEED);
}

bool os_purge_locked(void* at, size_t bytes) {
    return purge(at, bytes, MADV_DONTNEED_LOCKED);
}

bool os_protect(void* at, size_t bytes, bool accessible) {
    int access = accessible ? PROT_READ | PROT_WRITE : PROT_NONE;
    long result = refusal(at);
    if (result == 0) result = sys_call3(SYS_mprotect, (long)at, whole(bytes), access);
    return count(result, HAK_C_syscall_mprotect);
}

// On unused memory the advice changes nothing; on a locked range it is refused.
bool os_is_locked(void* fresh, size_t bytes) {
    return advice_result(fresh, bytes, MADV_DONTNEED) == -EINVAL;
}

bool os_lock_on_touch(void* at, size_t bytes) {
    long result = os_fault_hit() ? -ENOMEM : sys_call3(SYS_mlock2, (long)at, (long)bytes, MLOCK_ONFAULT);
    return count(result, HAK_C_syscall_mlock);
}

bool os_open_sparsely(void* at, size_t bytes, bool* locked) {
    *locked = os_is_locked(at, bytes);
    if (*locked) os_lock_on_touch(at, bytes);
    if (os_protect(at, bytes, true)) return true;
    os_unmap(at, bytes);  // counted if it fails; the address space is lost then
    return false;
}

bool os_is_resident(void* page) {
    unsigned char resident = 0;
    long result = os_fault_hit() ? -ENOMEM : sys_call3(SYS_mincore, (long)page, OS_PAGE, (long)&resident);
    return count(result, HAK_C_syscall_mlock) && (resident & 1);
}

// The kernel reads the signal set before it refuses the operation. Abseil's AddressIsReadable does the same.
bool os_can_read(const void* at) {
    enum { NOTHING_TO_DO = -1 };
    return sys_call4(SYS_rt_sigprocmask, NOTHING_TO_DO, (long)at, 0, sizeof(uint64_t)) != -EFAULT;
}

bool os_populate(void* at, size_t bytes) {
    return advise(at, bytes, MADV_POPULATE_WRITE);
}

bool os_want_huge_pages(void* at, size_t bytes, bool wanted) {
    return advise(at, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

bool os_keep_apart(void* at, size_t bytes) {
    return advise(at, bytes, MADV_RANDOM);
}

bool os_move(void* from, void* to, size_t bytes) {
    long result = os_fault_hit() ? -ENOMEM
                                 : sys_call6(SYS_mremap, (long)from, (long)bytes, (long)bytes,
                                             MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0);
    return count(result, HAK_C_syscall_mremap);
}

#if HAK_CHECKED
bool os_guard(void* at, size_t bytes, bool closed) {
    return advise(at, bytes, closed ? MADV_GUARD_INSTALL : MADV_GUARD_REMOVE);
}

static bool advise_all(const struct iovec* ranges, unsigned many, size_t bytes, int advice) {
    enum { THIS_THREAD = -10000 };  // PIDFD_SELF_THREAD, whose memory is that of the process
    long result =
        os_fault_hit() ? -ENOMEM : sys_call6(SYS_process_madvise, THIS_THREAD, (long)ranges, many, advice, 0, 0);
    return count(result, HAK_C_syscall_madvise) && (size_t)result == many * bytes;
}

bool os_open_guarded(void* const* at, unsigned count, size_t bytes) {
    struct iovec ranges[OS_OPEN_MOST];
    for (unsigned i = 0; i < count; i++) ranges[i] = (struct iovec){at[i], bytes};
    if (!advise_all(ranges, count, bytes, MADV_GUARD_REMOVE)) return false;
    advise_all(ranges, count, bytes, MADV_POPULATE_WRITE);  // otherwise they become resident when they are touched
    return true;
}

bool os_close_over(void* at, size_t bytes) {
    return !sys_failed(map(at, bytes, PROT_NONE, MAP_FIXED | MAP_NORESERVE));
}

static uint64_t limit_of(int resource) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    // If it fails, there is no limit that could be respected.
    sys_call4(SYS_prlimit64, 0, resource, 0, (long)&limit);
    return limit.rlim_cur;
}

uint64_t os_address_limit(void) {
    uint64_t space = limit_of(RLIMIT_AS), data = limit_of(RLIMIT_DATA);
    return space < data ? space : data;
}

uint64_t os_memory_bytes(void) {
    struct sysinfo info = {0};
    return sys_failed(sys_call3(SYS_sysinfo, (long)&info, 0, 0)) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

uint64_t os_number_in(const char* path) {
    char text[32] = "";
    uint64_t number = 0;
    long file = sys_call4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (sys_failed(file)) return 0;
    sys_call3(SYS_read, file, (long)text, sizeof text - 1);  // text stays empty if it fails
    sys_call3(SYS_close, file, 0, 0);
    for (const char* at = text; *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint64_t)(*at - '0');
    return number;
}
#endif

static _Atomic uintptr_t loader;  // set by os_start

// The dynamic loader is one of the first things that the kernel maps. Without one, a mapping shows where they go.
uintptr_t os_mapping_area(void) {
    uintptr_t start = load_relaxed(&loader);
    if (start) return start;
    void* page = os_map(OS_PAGE);
    if (page) os_unmap(page, OS_PAGE);  // counted if it fails; one page of address space is lost then
    return (uintptr_t)page;
}

uintptr_t os_find_hole(size_t bytes) {
    long at = map(NULL, bytes, PROT_NONE, 0);
    if (sys_failed(at)) return 0;
    // If unmapping fails, the hole stays reserved but unreadable: os_map_at refuses it, and the caller looks elsewhere.
    return os_unmap((void*)at, bytes) ? (uintptr_t)at : 0;
}

uint64_t os_clock_ms(void) {
    struct timespec now = vdso_clock(CLOCK_MONOTONIC_COARSE);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#if HAK_CHECKED
static _Atomic bool no_counter;

void os_clock_without_counter(void) {
    store_relaxed(&no_counter, true);
}

uint64_t os_clock_ns(void) {
    struct timespec now = vdso_clock(load_relaxed(&no_counter) ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
#endif

// Set by os_start. If two threads call it at the same time, both write the same values.
static _Atomic uint64_t seed;
static _Atomic bool privileged;
static _Atomic uintptr_t first_stack;

void os_start(void) {
    uint64_t random[2] = {0};
    const void* bytes = (const void*)getauxval(AT_RANDOM);  // 16 random bytes from the kernel, of any alignment
    if (bytes != NULL) memcpy(random, bytes, sizeof random);
    if (getauxval(AT_PAGESZ) > OS_PAGE) store_relaxed(&page_bytes, getauxval(AT_PAGESZ));
    store_relaxed(&seed, random[0] ^ (random[1] << 7));
    store_relaxed(&loader, getauxval(AT_BASE));
    store_relaxed(&first_stack, (uintptr_t)bytes);
    store_relaxed(&privileged, getauxval(AT_SECURE) != 0);
    vdso_start();
}

bool os_is_privileged(void) {
    return load_relaxed(&privileged);
}

const char* os_program(void) {
    const char* path = (const char*)getauxval(AT_EXECFN);
    const char* name = path != NULL ? path : "";
    for (const char* c = name; *c != '\0'; c++)
        if (*c == '/') name = c + 1;
    return name;
}

// The kernel puts its random bytes there, above the first frame.
uintptr_t os_first_stack(void) {
    return load_relaxed(&first_stack);
}

uint64_t os_random(void) {
    static _Atomic uint64_t calls;
    return random_mix((load_relaxed(&seed) ^ (uintptr_t)&calls) + (add_relaxed(&calls, 1u) + 1) * RANDOM_STEP);
}

static _Atomic bool calls_are_forbidden;

void os_forbid_calls(void) {
    store_relaxed(&calls_are_forbidden, true);
}

bool os_calls_are_forbidden(void) {
    return load_relaxed(&calls_are_forbidden);
}

void os_yield(void) {
    sys_call3(SYS_sched_yield, 0, 0, 0);
}

void os_sleep_briefly(void) {
    struct timespec while_short = {.tv_nsec = 50000};
    // An early wake-up does no harm.
    sys_call4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&while_short, 0);
}

void os_wait(int tries) {
    enum { YIELDS = 64 };
    if (tries < YIELDS)
        os_yield();
    else
        os_sleep_briefly();
}

// In a page that the kernel clears in a copy of the process; 0: this is a new copy.
static _Atomic(_Atomic uint32_t*) accepted;

void os_watch_copies(void) {
    if (load_relaxed(&accepted)) return;
    _Atomic uint32_t *page = os_map(OS_PAGE), *none = NULL;
    if (page == NULL) return;
    store_relaxed(page, 1u);
    // pairs with the acquires in os_is_new_copy, os_accept_copy
    if (!advise(page, OS_PAGE, MADV_WIPEONFORK) || !cas_release(&accepted, &none, page)) os_unmap(page, OS_PAGE);
}

bool os_is_new_copy(void) {
    _Atomic uint32_t* page = load_acquire(&accepted);  // pairs with the release in os_watch_copies
    return page && load_relaxed(page) == 0;
}

void os_accept_copy(void) {
    _Atomic uint32_t* page = load_acquire(&accepted);  // pairs with the release in os_watch_copies
    if (page) store_relaxed(page, 1u);
}

// With another thread the kernel refuses to unshare what threads share; without one the call changes nothing.
bool os_has_threads(bool unless_known) {
    long result = sys_call3(SYS_unshare, CLONE_THREAD, 0, 0);
    return sys_failed(result) ? result == -EINVAL || unless_known : false;
}

static uint64_t set_held_signals(uint64_t held) {
    uint64_t before = 0;
    // Cannot fail: the addresses are valid and the kernel's set has 64 signals.
    sys_call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&held, (long)&before, sizeof held);
    return before;
}

uint64_t os_hold_signals(void) {
    return set_held_signals(UINT64_MAX);
}

void os_release_signals(uint64_t held) {
    set_held_signals(held);
}

uint32_t os_thread_id(void) {
    return (uint32_t)sys_call3(SYS_gettid, 0, 0, 0);
}

uint32_t os_process_id(void) {
    return (uint32_t)sys_call3(SYS_getpid, 0, 0, 0);
}
