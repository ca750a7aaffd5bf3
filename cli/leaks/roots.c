#include "leaks/roots.h"

#include <string.h>

enum {
    THREAD_HEAD = 3 * sizeof(uint64_t),  // its own address, its table of thread-local memory, its own address
    THREAD_BYTES = 4096,                 // at most: the C library's data of a thread, from its thread pointer on
    STACK_LOOKED_AT = 1 << 24            // how far a thread pointer is searched for in the mapping of a stack
};

// Stacks. A mapping with a closed one right below it may be the stack of a thread, and the first thread's has a name.
// What is below the stack pointer is unused. The C library keeps the stacks of threads that have ended.

static bool is_open(const struct mapping* mapping) {
    return mapping->permissions[0] == 'r' && mapping->permissions[1] == 'w' && mapping->permissions[3] == 'p';
}

static bool may_be_stack(const struct roots* roots, size_t number) {
    const struct mapping *mapping = &roots->maps->mappings[number], *below = mapping - 1;
    if (!is_open(mapping)) return false;
    if (strcmp(mapping->path, "[stack]") == 0) return true;
    return mapping->path[0] == '\0' && number > 0 && below->end == mapping->start &&
           strncmp(below->permissions, "---", 3) == 0;
}

// The lowest stack pointer in the mapping; 0: none.
static uint64_t lowest_stack(const struct roots* roots, const struct mapping* mapping) {
    uint64_t lowest = 0;
    for (size_t i = 0; i < roots->thread_count; i++) {
        uint64_t stack = roots->threads[i].stack;
        if (stack >= mapping->start && stack < mapping->end && (lowest == 0 || stack < lowest)) lowest = stack;
    }
    return lowest;
}

struct self_search {
    const struct process_memory* memory;
    uint64_t found;
};

// The data of a thread begins with its own address, and has it again two words on.
static void look_for_self(void* context, uint64_t word) {
    struct self_search* search = context;
    uint64_t words[3];
    if (search->found != 0 || word % 64 != 0 || !process_memory_read(search->memory, word, words, sizeof words)) return;
    if (words[0] == word && words[2] == word) search->found = word;
}

static bool is_alive(const struct roots* roots, uint64_t self) {
    for (size_t i = 0; i < roots->thread_count; i++)
        if (roots->threads[i].self == self) return true;
    return false;
}

static void leave_out_dead(const struct roots* roots, const struct memory_scan* scan, const struct mapping* mapping) {
    struct self_search search = {.memory = scan->memory};
    uint64_t end = mapping->end - mapping->start > STACK_LOOKED_AT ? mapping->start + STACK_LOOKED_AT : mapping->end;
    struct memory_scan inside = {.memory = scan->memory,
                                 .pagemap = scan->pagemap,
                                 .low = mapping->start,
                                 .high = end,
                                 .word = look_for_self,
                                 .context = &search};
    memory_scan_range(&inside, mapping->start, end, SCAN_WRITTEN);
    if (search.found == 0 || is_alive(roots, search.found)) return;
    // Its table of thread-local memory is kept for the next thread that gets the stack.
    ranges_add(roots->own, mapping->start, search.found);
    end = search.found + THREAD_BYTES;
    ranges_add(roots->own, search.found + THREAD_HEAD, end < mapping->end ? end : mapping->end);
}

static void leave_out_unused(const struct roots* roots, const struct memory_scan* scan) {
    for (size_t i = 0; i < roots->maps->count; i++) {
        const struct mapping* mapping = &roots->maps->mappings[i];
        if (!may_be_stack(roots, i)) continue;
        uint64_t stack = lowest_stack(roots, mapping);
        if (stack == 0)
            leave_out_dead(roots, scan, mapping);
        else
            ranges_add(roots->own, mapping->start, stack);
    }
}

// Memory

struct part {
    const struct memory_scan* scan;
    enum scan_pages which;
};

static void scan_part(void* context, uint64_t from, uint64_t end) {
    const struct part* part = context;
    memory_scan_range(part->scan, from, end, part->which);
}

static bool is_device(const char* path) {
    return strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0 && strncmp(path, "/dev/zero", 9) != 0;
}

// What the loader made read-only after it had written there is looked at as well.
static bool may_hold_addresses(const struct mapping* mapping, const struct memory_scan* scan) {
    bool shared = mapping->permissions[3] == 's', writable = mapping->permissions[1] == 'w';
    if (mapping->permissions[0] != 'r' || is_device(mapping->path)) return false;
    if (strncmp(mapping->path, "[v", 2) == 0) return false;  // the kernel's
    return writable || (!shared && scan->pagemap >= 0);
}

void roots_scan(const struct roots* roots, const struct memory_scan* scan) {
    leave_out_unused(roots, scan);
    ranges_sort(roots->own);
    for (size_t i = 0; i < roots->thread_count; i++) {
        memory_scan_words(scan, roots->threads[i].registers, ROOT_REGISTERS);
        memory_scan_words(scan, roots->threads[i].vectors, roots->threads[i].vector_count);
    }
    for (size_t i = 0; i < roots->maps->count; i++) {
        const struct mapping* mapping = &roots->maps->mappings[i];
        if (!may_hold_addresses(mapping, scan)) continue;
        struct part part = {scan, mapping->permissions[3] == 's' ? SCAN_PRESENT : SCAN_WRITTEN};
        ranges_each_gap(roots->own, mapping->start, mapping->end, scan_part, &part);
    }
}
