// The system calls for the allocator's memory; no other file makes any. Sizes are bytes and multiples of the page size,
// addresses are page-aligned. They are raw system calls: no library sees them, and errno keeps its value (the caller of
// malloc sets ENOMEM).
// Thread-safety: all functions.
// Errors: false or NULL; every call and every failure is counted.
#ifndef HAK_OS_OS_H
#define HAK_OS_OS_H

#include "base/compiler.h"

// The smallest page that a system has, and the one that the allocator counts in. A page of this system may be larger.
enum { OS_PAGE = 4096 };
// Bytes of a page of this system: OS_PAGE or, on some aarch64, 16 or 64 KiB. What is unmapped, purged, opened or closed
// begins and ends with one. No system call.
size_t os_page_bytes(void);

// Reads what the kernel passes to a process at its start, through the C library. Call it first, with no lock held.
// Calling it again does no harm.
void os_start(void);
// Whether the process has other rights than its user (set-user-id and the like).
bool os_is_privileged(void);

// The name of the file that was started, without its folder; of a script, the script. "": unknown.
const char* os_program(void);

// Fresh zeroed memory anywhere.
void* os_map(size_t bytes);
// The same, for tables that are mostly untouched: a page becomes resident when it is touched, even if the process locks
// all its memory (mlockall).
void* os_map_sparse(size_t bytes);
// Core dumps do not contain the range.
bool os_leave_out_of_dumps(void* at, size_t bytes);
// As os_map, and the pages become resident if there is room: one system call instead of a page fault each.
void* os_map_resident(size_t bytes);
// Fresh zeroed memory at exactly `at`. On failure *occupied, unless NULL, says whether something else is mapped there.
bool os_map_at_unless(void* at, size_t bytes, bool* occupied);
bool os_map_at(void* at, size_t bytes);
// Replaces what is mapped at `at`, which must be ours, by fresh zeroed memory.
bool os_map_over(void* at, size_t bytes);
bool os_unmap(void* at, size_t bytes);
// Gives the pages back; they read as zero afterwards. The range stays mapped.
bool os_purge(void* at, size_t bytes);
// The same for locked memory, which os_purge refuses. It stays locked. Since Linux 5.18.
bool os_purge_locked(void* at, size_t bytes);
// Makes a range that os_map or its variants mapped accessible or not. If it fails, part of the range may be changed.
bool os_protect(void* at, size_t bytes, bool accessible);
// Address space without access at exactly `at`; the system promises no memory for it. Otherwise as os_map_at_unless.
bool os_map_closed_unless(void* at, size_t bytes, bool* occupied);
// The same anywhere. NULL: none.
void* os_map_closed(size_t bytes);
// Whether this memory, which nobody has used yet, is locked.
bool os_is_locked(void* fresh, size_t bytes);
// Lets the system lock each page when it is first touched. Since Linux 4.4.
bool os_lock_on_touch(void* at, size_t bytes);
// Opens fresh memory without access. If the process locks its memory, each page is locked when it is first touched;
// kernels before 4.4 refuse that, and then all of it becomes resident. *locked: whether it is locked. false: it is
// unmapped.
bool os_open_sparsely(void* at, size_t bytes, bool* locked);
bool os_is_resident(void* page);
// Whether the eight bytes at `at`, a multiple of 8 and not NULL, can be read.
bool os_can_read(const void* at);
// Makes the pages resident. Since Linux 5.14.
bool os_populate(void* at, size_t bytes);
// Asks for huge pages in the range, or for none.
bool os_want_huge_pages(void* at, size_t bytes, bool wanted);
// The range gets advice that means nothing for memory of ours, so that the kernel does not join its mapping with those
// beside it.
bool os_keep_apart(void* at, size_t bytes);
// Moves the pages of [from, from+bytes) to `to`, replacing what is mapped there; the old range is unmapped.
bool os_move(void* from, void* to, size_t bytes);
// An address near which the system places mappings by itself; 0: unknown.
uintptr_t os_mapping_area(void);
// An address at the upper end of the first thread's stack, beyond all frames; 0: unknown.
uintptr_t os_first_stack(void);
// Start of a hole of at least `bytes` in the address space at this moment; 0: none.
uintptr_t os_find_hole(size_t bytes);
// Milliseconds of a clock that never goes back; its resolution is a few milliseconds.
uint64_t os_clock_ms(void);
#if HAK_CHECKED
// --- for a page for every block

// Closes pages of readable and writable memory to any access by guards in the page table, which gives their memory
// back, or opens them. No mapping is split. Since Linux 6.13, and not for locked memory.
bool os_guard(void* at, size_t bytes, bool closed);
// Opens ranges of `bytes` that os_guard has closed, and makes their pages resident, with two system calls. false: some
// may still be closed. Since Linux 6.14.
enum { OS_OPEN_MOST = 32 };
bool os_open_guarded(void* const* at, unsigned count, size_t bytes);
// Replaces what is mapped at `at`, which must be ours, by address space without access; the system promises no memory.
bool os_close_over(void* at, size_t bytes);
// The least of the limits of the process on its address space and its data; UINT64_MAX: none.
uint64_t os_address_limit(void);
// Bytes of memory that the machine has; 0: unknown.
uint64_t os_memory_bytes(void);
// The number in a file of /proc; 0: it cannot be read.
uint64_t os_number_in(const char* path);

// Nanoseconds of a clock that never goes back; a call takes about 20 ns. It reads the time-stamp counter.
uint64_t os_clock_ns(void);
// From now on os_clock_ns has the resolution of os_clock_ms, and does not read the counter.
void os_clock_without_counter(void);
#endif
// 64 bits that an attacker outside the process cannot guess. No system call.
uint64_t os_random(void);
// From now on a system call may end the process (strict seccomp): what can be done without any is done without.
void os_forbid_calls(void);
bool os_calls_are_forbidden(void);
void os_yield(void);
void os_sleep_briefly(void);  // 50 microseconds
// Waits for another thread, between two checks; `tries` counts the waits before. Yields 64 times, then sleeps.
void os_wait(int tries);
// Detects copies of the process that were made without the fork handlers: by _Fork or clone. After os_watch_copies(),
// and since Linux 4.14, such a copy, and the child of a fork, is a new copy until it calls os_accept_copy(). If two
// threads begin to watch at once, each does so before it returns.
void os_watch_copies(void);
bool os_is_new_copy(void);
void os_accept_copy(void);
// Whether the process has another thread; `unless_known` if that cannot be found out.
bool os_has_threads(bool unless_known);
// Blocks all signals of the calling thread. Returns the mask that was in force.
uint64_t os_hold_signals(void);
void os_release_signals(uint64_t held);
uint32_t os_thread_id(void);
uint32_t os_process_id(void);

// The checked build can make system calls fail: number `first` (1 is the next call) and the `count - 1` after it.
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
