// The only system calls of the allocator's memory. All sizes are bytes and multiples of the page size, all addresses page-aligned.
// By raw system calls: no library sees them, and errno stays as it is (the caller of malloc sets ENOMEM).
// Thread-safety: all functions. Errors: false or NULL; every call and every failure is counted.
#ifndef HAK_OS_OS_H
#define HAK_OS_OS_H

#include "base/compiler.h"

enum { OS_PAGE = 4096 };

// What the kernel tells a process at its start, asked of the C library: to be called first, with no lock held. Once is enough, again
// no harm.
void os_start(void);
// Whether the process runs with other rights than its user's (set-user-id and the like).
bool os_is_privileged(void);

// Fresh zeroed memory anywhere.
void* os_map(size_t bytes);
#if HAK_CHECKED
// The same, for tables of which little is touched: pages come when they are touched, also where the process locks all its memory
// (mlockall).
void* os_map_sparse(size_t bytes);
#endif
// The same as os_map, with its pages in memory if there is room: one system call instead of a fault a page.
void* os_map_resident(size_t bytes);
// Fresh zeroed memory at exactly `at`. On failure *occupied tells whether something else is mapped there; NULL is allowed.
bool os_map_at_unless(void* at, size_t bytes, bool* occupied);
bool os_map_at(void* at, size_t bytes);
// Replaces whatever is mapped at `at` (which is ours) by fresh zeroed memory.
bool os_map_over(void* at, size_t bytes);
bool os_unmap(void* at, size_t bytes);
// Gives the pages back; they read as zero afterwards. The range stays mapped.
bool os_purge(void* at, size_t bytes);
// The same of locked memory, which os_purge refuses; it stays locked. From Linux 5.18 on.
bool os_purge_locked(void* at, size_t bytes);
// Makes the range, mapped by os_map and its like, accessible or not. A failure may come when part of it is done.
bool os_protect(void* at, size_t bytes, bool accessible);
// Address space without access at exactly `at`: no memory is promised for it, and none comes. Otherwise as os_map_at_unless.
bool os_map_closed_unless(void* at, size_t bytes, bool* occupied);
// Whether memory that nobody has used yet is locked.
bool os_is_locked(void* fresh, size_t bytes);
// Locks pages when they are touched first. From Linux 4.4 on.
bool os_lock_on_touch(void* at, size_t bytes);
bool os_is_resident(void* page);
// Whether the eight bytes at `at`, a multiple of 8 and not NULL, can be read.
bool os_can_read(const void* at);
// Makes the pages resident. From Linux 5.14 on.
bool os_populate(void* at, size_t bytes);
// Asks for huge pages behind the range, or for none.
bool os_want_huge_pages(void* at, size_t bytes, bool wanted);
// Moves the pages of [from, from+bytes) to `to`, replacing what is mapped there; the old range is unmapped.
bool os_move(void* from, void* to, size_t bytes);
// An address from which mappings go that the system places by itself; 0: unknown.
uintptr_t os_mapping_area(void);
// Start of a hole of address space of at least `bytes`, at this moment; 0: none.
uintptr_t os_find_hole(size_t bytes);
// Milliseconds of a clock that never goes back, a few milliseconds coarse.
uint64_t os_clock_ms(void);
#if HAK_CHECKED
// Nanoseconds of a clock that never goes back; some 20 ns a call. It reads the time-stamp counter.
uint64_t os_clock_ns(void);
// From now on os_clock_ns is as coarse as os_clock_ms, and reads no counter.
void os_clock_without_counter(void);
#endif
// 64 bits that an attacker cannot guess from outside the process; no system call.
uint64_t os_random(void);
void os_yield(void);
void os_sleep_briefly(void);  // 50 microseconds
// Between two looks at what another thread is to do, `tries` before: yields 64 times, then sleeps.
void os_wait(int tries);
// Copies of the process that were made without its handlers being called: by _Fork, clone. From os_watch_copies() on, and from Linux
// 4.14 on, such a copy, and the child of a fork, is a new one until os_accept_copy().
void os_watch_copies(void);
bool os_is_new_copy(void);
void os_accept_copy(void);
// Whether the process has another thread; `unless_known` where that cannot be found out.
bool os_has_threads(bool unless_known);
// Holds back all signals of the calling thread, and what was held back before.
uint64_t os_hold_signals(void);
void os_release_signals(uint64_t held);
uint32_t os_thread_id(void);
uint32_t os_process_id(void);

// The checked build can make system calls fail: call number `first` (1 is the next one) and the `count - 1` after it.
#if HAK_CHECKED
void os_fault_arm(uint64_t first, uint64_t count);
uint64_t os_fault_calls(void);  // system calls counted since os_fault_arm
bool os_fault_hit(void);
#else
HAK_INLINE bool os_fault_hit(void) {
    return false;
}
#endif

#endif
