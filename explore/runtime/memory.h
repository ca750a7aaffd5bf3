// The memory of the allocator under test: its static data, and an arena at a fixed address for control blocks, tables
// and heap. Every line that a run writes is noted, and put back before the next run.
//
//   arena:  | world | mapped anywhere: control blocks ... | the heap's tables and window ... |
//   static data: section hak_state of the program
//
// Both together are "tracked". A tracked address has an offset, by which the tables about it are indexed.
//
// Thread-safety: the process's only running thread.
// Errors: memory_start ends the process if there is no memory.
#ifndef EXPLORE_RUNTIME_MEMORY_H
#define EXPLORE_RUNTIME_MEMORY_H

#include "runtime/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA UINT64_C(0x200000000000)
#define ARENA_BYTES UINT64_C(0x10000000)
#define ARENA_WINDOW UINT64_C(0x2000000)  // offset of the heap's hole
#define ARENA_PART UINT64_C(0x200000)
#define STATE_BYTES_MOST UINT64_C(0x100000)
#define TRACKED_BYTES (ARENA_BYTES + STATE_BYTES_MOST)
#define NOT_TRACKED UINT64_MAX

enum { LINE_SHIFT = 6, LINE = 1 << LINE_SHIFT, LINES = TRACKED_BYTES >> LINE_SHIFT };

extern char __start_hak_state[], __stop_hak_state[];

// Of a line: written in this run; not zero at the run's beginning. The others are learned over all runs of a scenario,
// see runtime/race.h.
enum { LINE_IS_NOTED = 1, LINE_HAD_BYTES = 2, LINE_IS_EXACT = 4, LINE_IS_READ = 8, LINE_IS_WRITTEN = 16 };
extern uint8_t memory_lines[LINES];

// Offset of an address; NOT_TRACKED: a stack, a TLS, the explorer's own.
static inline uint64_t memory_offset(const volatile void* p) {
    uint64_t at = (uint64_t)(uintptr_t)p, offset = at - ARENA;
    if (__builtin_expect(offset < ARENA_BYTES, 1)) return offset;
    offset = at - (uint64_t)(uintptr_t)__start_hak_state;
    return offset < (uint64_t)(__stop_hak_state - __start_hak_state) ? ARENA_BYTES + offset : NOT_TRACKED;
}

char* memory_address(uint64_t offset);

void memory_note_line(uint64_t line);

// Before a write of at most 16 bytes.
static inline void memory_note(uint64_t offset, unsigned bytes) {
    uint64_t line = offset >> LINE_SHIFT, last = (offset + bytes - 1) >> LINE_SHIFT;
    if (__builtin_expect((memory_lines[line] & LINE_IS_NOTED) == 0, 0)) memory_note_line(line);
    if (__builtin_expect(line != last, 0) && (memory_lines[last] & LINE_IS_NOTED) == 0) memory_note_line(last);
}

static inline bool memory_is_noted(uint64_t offset) {
    return (memory_lines[offset >> LINE_SHIFT] & LINE_IS_NOTED) != 0;
}

// Before a write of any length to memory that may not be tracked.
void memory_note_range(const volatile void* p, size_t bytes);

// Address space that costs nothing until it is touched, for tables by offset. It reads as zero.
void* memory_reserve(size_t bytes);

void memory_start(void);
// What is in memory now is what each run begins with.
void memory_snapshot(void);
void memory_reset(void);
// Of what is in memory now: equal if every tracked byte is, and every page is open in both or in none.
Hash memory_hash(void);
// Back to what it was at memory_start.
void memory_forget_all(void);

// Opens or closes pages of the arena, as the system maps and unmaps them. What is opened, or was closed, reads as zero.
void memory_open(uint64_t offset, size_t bytes);
void memory_close(uint64_t offset, size_t bytes);
bool memory_is_open(uint64_t offset, size_t bytes);
bool memory_is_closed(uint64_t offset, size_t bytes);
void memory_zero(uint64_t offset, size_t bytes);
// The first line between two offsets that holds a byte other than zero; NOT_TRACKED: none.
uint64_t memory_find_bytes(uint64_t from, uint64_t end);

// What the explored system itself remembers, at the arena's start. Call world_note() before writing.
typedef struct {
    uint64_t next_mapping;  // offset
    _Atomic uint64_t clock_ms;
    uint64_t random_calls;
    uint32_t watches_copies;                      // copies of the process are detected
    uint64_t streams;                             // number of the thread that has locked them, from 1; 0: none
    uint32_t streams_depth;                       // how often
    uint32_t is_copy;                             // one that has not been accepted
    uint32_t mappings[ARENA_BYTES / ARENA_PART];  // of a part; only that they are written counts
} World;

#define world ((World*)ARENA)

// As of a machine that has run for a while: what is some seconds ago is not before its start.
enum { CLOCK_AT_START_MS = 100000000 };

static inline void world_note(void) {
    memory_note(0, 1);
}

#endif
