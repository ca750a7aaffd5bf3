#include "runtime/memory.h"

#include "runtime/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = ARENA_BYTES / PAGE, LINES_OF_PAGE = PAGE / LINE, NOTED_MOST = 1 << 20 };

uint8_t memory_lines[LINES];
static uint32_t noted[NOTED_MOST], noted_count;
static char* base;  // what the lines hold at the run's beginning, by offset
static char* state_at_start;

// Pages that are open, and those that a run opened or closed: each once.
static uint8_t open_pages[PAGES], open_at_snapshot[PAGES], is_changed[PAGES];
static uint32_t changed_pages[PAGES], changed_count;

static void note_page(uint64_t page) {
    if (is_changed[page]) return;
    is_changed[page] = true;
    changed_pages[changed_count++] = (uint32_t)page;
}

static void forget_changed_pages(void) {
    for (uint32_t i = 0; i < changed_count; i++) is_changed[changed_pages[i]] = false;
    changed_count = 0;
}

static void* reserve(uint64_t at, size_t bytes, int access) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED_NOREPLACE : 0);
    void* memory = mmap((void*)(uintptr_t)at, bytes, access, flags, -1, 0);
    if (memory == MAP_FAILED || (at && (uint64_t)(uintptr_t)memory != at)) {
        fprintf(stderr, "hakstress-explore: cannot reserve %zu bytes of address space\n", bytes);
        exit(3);
    }
    return memory;
}

void* memory_reserve(size_t bytes) {
    return reserve(0, bytes, PROT_READ | PROT_WRITE);
}

static size_t state_bytes(void) {
    return (size_t)(__stop_hak_state - __start_hak_state);
}

char* memory_address(uint64_t offset) {
    return offset < ARENA_BYTES ? (char*)(uintptr_t)(ARENA + offset) : __start_hak_state + (offset - ARENA_BYTES);
}

static size_t line_bytes(uint64_t line) {
    uint64_t offset = line << LINE_SHIFT, end = ARENA_BYTES + state_bytes();
    return end - offset < LINE ? end - offset : LINE;
}

void memory_start(void) {
    reserve(ARENA, ARENA_BYTES, PROT_NONE);
    base = reserve(0, TRACKED_BYTES, PROT_READ | PROT_WRITE);
    if (state_bytes() > STATE_BYTES_MOST || (uintptr_t)__start_hak_state % LINE != 0) {
        fputs("hakstress-explore: the static data of the allocator does not fit\n", stderr);
        exit(3);
    }
    state_at_start = malloc(state_bytes());
    if (state_at_start == NULL) exit(3);
    memcpy(state_at_start, __start_hak_state, state_bytes());
    memory_open(0, PAGE);
    world->next_mapping = PAGE;
    world->clock_ms = CLOCK_AT_START_MS;
    memory_note(0, sizeof(World));
}

// --- lines

void memory_note_line(uint64_t line) {
    memory_lines[line] |= LINE_IS_NOTED;
    if (noted_count == NOTED_MOST) run_is_too_large("a run writes to more lines of memory than it can hold");
    noted[noted_count++] = (uint32_t)line;
}

void memory_note_range(const volatile void* p, size_t bytes) {
    uint64_t offset = memory_offset(p);
    if (offset == NOT_TRACKED || bytes == 0) return;
    for (uint64_t line = offset >> LINE_SHIFT, last = (offset + bytes - 1) >> LINE_SHIFT; line <= last; line++)
        if ((memory_lines[line] & LINE_IS_NOTED) == 0) memory_note_line(line);
}

void memory_snapshot(void) {
    memcpy(base + ARENA_BYTES, __start_hak_state, state_bytes());
    for (uint32_t i = 0; i < noted_count; i++) {
        uint64_t line = noted[i], offset = line << LINE_SHIFT;
        memory_lines[line] = LINE_HAD_BYTES;
        if (offset < ARENA_BYTES && open_pages[offset / PAGE]) memcpy(base + offset, memory_address(offset), LINE);
    }
    noted_count = 0;
    memcpy(open_at_snapshot, open_pages, sizeof open_pages);
    forget_changed_pages();
}

static void set_access(uint64_t offset, size_t bytes, bool opened) {
    if (mprotect(memory_address(offset), bytes, opened ? PROT_READ | PROT_WRITE : PROT_NONE) == 0) return;
    fputs("hakstress-explore: the system refuses to change the access to memory\n", stderr);
    exit(3);
}

static void set_pages(uint64_t offset, size_t bytes, bool opened) {
    set_access(offset, bytes, opened);
    for (uint64_t page = offset / PAGE; page < (offset + bytes) / PAGE; page++) {
        if (open_pages[page] == opened) continue;
        open_pages[page] = opened;
        note_page(page);
    }
}

// Gives the pages that are to be open, or those that are to be closed, back their state.
static void reset_pages(bool opened) {
    for (uint32_t i = 0; i < changed_count; i++) {
        uint32_t page = changed_pages[i], end = page;
        if (open_at_snapshot[page] != opened) continue;
        while (end < PAGES && open_pages[end] != opened && open_at_snapshot[end] == opened) open_pages[end++] = opened;
        if (end > page) set_access((uint64_t)page * PAGE, (size_t)(end - page) * PAGE, opened);
    }
}

void memory_reset(void) {
    if (changed_count) reset_pages(true);
    for (uint32_t i = 0; i < noted_count; i++) {
        uint64_t line = noted[i], offset = line << LINE_SHIFT;
        memory_lines[line] &= (uint8_t)~LINE_IS_NOTED;
        if (offset >= ARENA_BYTES)
            memcpy(memory_address(offset), base + offset, line_bytes(line));
        else if (open_pages[offset / PAGE])
            memcpy(memory_address(offset), base + offset, LINE);
    }
    noted_count = 0;
    if (changed_count) reset_pages(false);
    forget_changed_pages();
}

static Hash hash_line(uint64_t line, const char* at, size_t bytes) {
    Hash hash = {line, ~line};
    for (size_t i = 0; i + 8 <= bytes; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, sizeof word);
        hash = hash_add(hash, word);
    }
    return hash;
}

// Only what differs from the snapshot counts. Lines are noted in any order, so their hashes are added.
Hash memory_hash(void) {
    Hash sum = {0, 0};
    for (uint32_t i = 0; i < noted_count; i++) {
        uint64_t line = noted[i], offset = line << LINE_SHIFT;
        if (offset < ARENA_BYTES && !open_pages[offset / PAGE]) continue;
        size_t bytes = offset < ARENA_BYTES ? LINE : line_bytes(line);
        if (memcmp(memory_address(offset), base + offset, bytes) == 0) continue;
        Hash hash = hash_line(line, memory_address(offset), bytes);
        sum.low += hash.low;
        sum.high += hash.high;
    }
    for (uint32_t i = 0; i < changed_count; i++) {
        uint32_t page = changed_pages[i];
        if (open_pages[page] != open_at_snapshot[page]) sum.low += hash_mix(page, open_pages[page]);
    }
    return sum;
}

void memory_forget_all(void) {
    mprotect(memory_address(0), ARENA_BYTES, PROT_NONE);
    madvise(memory_address(0), ARENA_BYTES, MADV_DONTNEED);
    madvise(base, TRACKED_BYTES, MADV_DONTNEED);
    memset(memory_lines, 0, sizeof memory_lines);
    memset(open_pages, 0, sizeof open_pages);
    noted_count = 0;
    forget_changed_pages();
    memcpy(__start_hak_state, state_at_start, state_bytes());
    memory_open(0, PAGE);
    world->next_mapping = PAGE;
    world->clock_ms = CLOCK_AT_START_MS;
    memory_note(0, sizeof(World));
}

// --- pages

bool memory_is_open(uint64_t offset, size_t bytes) {
    return offset + bytes <= ARENA_BYTES && memchr(open_pages + offset / PAGE, 0, bytes / PAGE) == NULL;
}

bool memory_is_closed(uint64_t offset, size_t bytes) {
    return offset + bytes <= ARENA_BYTES && memchr(open_pages + offset / PAGE, 1, bytes / PAGE) == NULL;
}

void memory_zero(uint64_t offset, size_t bytes) {
    for (uint64_t line = offset >> LINE_SHIFT; line < (offset + bytes) >> LINE_SHIFT; line++) {
        if ((memory_lines[line] & (LINE_IS_NOTED | LINE_HAD_BYTES)) == 0) continue;
        if (!open_pages[(line << LINE_SHIFT) / PAGE]) continue;  // closed pages hold zeros
        if ((memory_lines[line] & LINE_IS_NOTED) == 0) memory_note_line(line);
        memset(memory_address(line << LINE_SHIFT), 0, LINE);
    }
}

static bool is_zero(const char* at, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if (at[i]) return false;
    return true;
}

// A line that was never written holds zeros; so does a closed one.
uint64_t memory_find_bytes(uint64_t from, uint64_t end) {
    for (uint64_t offset = from, next; offset < end; offset = next) {
        next = (offset | (LINE - 1)) + 1;
        if ((memory_lines[offset >> LINE_SHIFT] & (LINE_IS_NOTED | LINE_HAD_BYTES)) == 0) continue;
        if (!open_pages[offset / PAGE]) continue;
        if (!is_zero(memory_address(offset), (next < end ? next : end) - offset)) return offset;
    }
    return NOT_TRACKED;
}

void memory_open(uint64_t offset, size_t bytes) {
    set_pages(offset, bytes, true);
}

// What is closed is gone: closed pages hold zeros.
void memory_close(uint64_t offset, size_t bytes) {
    memory_zero(offset, bytes);
    set_pages(offset, bytes, false);
}
