// Blocks on pages of their own (HAKMEM_PAGES), read from the memory of another process (superslab/page_record.h).
// Thread-safety: none needed. Errors: false if nothing is known.
#ifndef HAKSTRESS_PAGE_VIEW_H
#define HAKSTRESS_PAGE_VIEW_H

#include "process/process_memory.h"
#include "superslab/page_record.h"

#include <stdbool.h>

struct page_view {
    const struct process_memory* memory;
    uint64_t root, base;
    uint32_t extents, page_shift;
    bool at_start, by_guards;
};

struct page_slot {
    uint64_t from, end;  // of the slot, its closed page included
    HakPageRecord record;
};

// `guard_root` is the address of the process's HakGuardRoot; 0: none. false: it has no such blocks.
bool page_view_open(struct page_view* view, const struct process_memory* memory, uint64_t guard_root);
// The slot around an address. false: none, or no block has ever been there.
bool page_view_find(const struct page_view* view, uint64_t address, struct page_slot* out);
// Calls each() for every slot in which a block is or was.
void page_view_each(const struct page_view* view, void (*each)(void* context, const HakPageRecord* record),
                    void* context);
struct page_counts {
    uint64_t covered, passed;  // blocks that have or had pages of their own, and those for which there were none
    uint64_t yielded;          // of those covered: their closed neighbours were opened, because mappings ran out
};
bool page_view_counts(const struct page_view* view, struct page_counts* out);

// An access that the processor refused, and the block that it was about.
enum page_kind { PAGE_NOTHING, PAGE_AFTER_FREE, PAGE_BEHIND, PAGE_BEFORE, PAGE_EMPTY };

struct page_fault {
    enum page_kind kind;
    uint64_t block, size;
    uint64_t distance;  // from the block's start (PAGE_AFTER_FREE, PAGE_EMPTY), behind its end, or before its start
    bool inside;        // PAGE_AFTER_FREE: within the freed block
};

// What `address` is to the block of its slot.
struct page_fault page_fault_of(const struct page_slot* slot, uint64_t address);
// "24 bytes past the end of the 80-byte block 0x...", and the like.
void page_fault_text(const struct page_fault* fault, uint64_t address, char* out, size_t size);
// pointers: values of registers, which may tell two neighbours apart.
struct page_fault page_fault_find(const struct page_view* view, uint64_t address, const uint64_t* pointers,
                                  size_t count);

#endif
